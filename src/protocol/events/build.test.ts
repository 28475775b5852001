import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64 } from '../base64.ts';
import { encodeCanonicalJson } from '../canonical-json.ts';
import { eventIdOf, isContentHashValid, referenceHashOf } from '../hashing.ts';
import { type EventId, parseRoomId, parseServerName, parseUserId } from '../identifiers.ts';
import { parseJsonExactly } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { ROOM_VERSIONS, rulesOf } from '../roomversions/table.ts';
import { isSignedPdu } from '../signing.ts';
import { generateSigningKey } from '../signing-key.ts';
import { buildPdu, type NewPdu } from './build.ts';
import { MAX_EVENT_BYTES } from './limits.ts';
import { Pdu } from './pdu.ts';

const signingKey = generateSigningKey();
const serverName = parseServerName('example.org:8448');
const signer = {
  entity: serverName,
  keyId: signingKey.keyId,
  publicKey: decodeBase64(signingKey.publicKey) ?? new Uint8Array(),
};

function template(version: RoomVersionId): NewPdu {
  return {
    rules: rulesOf(version),
    roomId: parseRoomId(version === '12' ? `!${'a'.repeat(43)}` : '!a:b'),
    sender: parseUserId('@"quoted" \\ user:example.org:8448'),
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'Grüße 😀 "\\\n' },
    prevEvents: [],
    authEvents: [],
    depth: 7,
    originServerTs: 1_700_000_000_000,
    serverName,
    signingKey,
  };
}

const VARIANTS: [string, Partial<NewPdu>][] = [
  ['a message', {}],
  ['a state event', { type: 'm.room.topic', stateKey: '', content: { topic: 't' } }],
  [
    'a member',
    { type: 'm.room.member', stateKey: '@"a:b', content: { membership: 'join', displayname: 'ä' } },
  ],
  [
    'a create event',
    { type: 'm.room.create', stateKey: '', content: { creator: 'x', room_version: '1' } },
  ],
  [
    'power levels',
    { type: 'm.room.power_levels', stateKey: '', content: { users: {}, invite: 0 } },
  ],
  ['a redaction', { type: 'm.room.redaction', redacts: '$r' as EventId, content: { reason: 'r' } }],
  ['an undefined member', { content: { a: undefined, b: [1] } }],
];

for (const version of ROOM_VERSIONS) {
  for (const [name, differences] of VARIANTS) {
    test(`version ${version}: ${name} is hashed, signed and named as others will find it`, () => {
      const rules = rulesOf(version);
      const prev = buildPdu(template(version));
      const references = rules.eventFormat === 'v1' ? [prev] : [prev.eventId];
      const { json, ...pdu } = buildPdu({
        ...template(version),
        ...differences,
        prevEvents: references,
        authEvents: references,
      });
      assert.equal(isContentHashValid(json, rules), true);
      assert.equal(isSignedPdu(json, rules, signer), true);
      assert.equal(eventIdOf(json, rules), pdu.eventId);
    });

    test(`version ${version}: the text of ${name} is its canonical JSON`, () => {
      const pdu = buildPdu({ ...template(version), ...differences });
      const strict = rulesOf(version).strictCanonicalJson;
      assert.equal(pdu.jsonText, encodeCanonicalJson(pdu.json, { strict }));
      assert.deepEqual(JSON.parse(JSON.stringify(pdu.json)), JSON.parse(pdu.jsonText));
    });
  }
}

test('the create event of version 12 has no room id: it is the room id', () => {
  const create = { ...template('12'), type: 'm.room.create', stateKey: '', roomId: undefined };
  const pdu = buildPdu(create);
  assert.equal('room_id' in pdu.json, false);
  assert.equal(pdu.roomId, `!${pdu.eventId.slice(1)}`);
  assert.equal(parseRoomId(pdu.roomId), pdu.roomId);
});

test('versions 1 and 2 make their own ids and refer by id and hash', () => {
  const prev = buildPdu(template('1'));
  assert.match(prev.eventId, /^\$[A-Za-z]{18}:example\.org:8448$/);
  const pdu = buildPdu({ ...template('1'), prevEvents: [prev] });
  const sha256 = referenceHashOf(prev.json, rulesOf('1'));
  assert.deepEqual(pdu.json.prev_events, [[prev.eventId, { sha256 }]]);
  assert.deepEqual(pdu.prevEvents, [prev.eventId]);
  assert.throws(() => buildPdu({ ...template('1'), prevEvents: [prev.eventId] }));
});

test('redacts is in content from version 11 on, and read from there alone', () => {
  const redaction = { type: 'm.room.redaction', redacts: '$r' as EventId };
  const old = buildPdu({ ...template('10'), ...redaction });
  const current = buildPdu({ ...template('11'), ...redaction });
  assert.equal(old.json.redacts, '$r');
  assert.equal(old.json.content.redacts, undefined);
  assert.equal(current.json.redacts, undefined);
  assert.equal(current.json.content.redacts, '$r');
  assert.deepEqual([old.redacts, current.redacts], ['$r', '$r']);
  assert.equal(Pdu.from({ ...old, roomVersion: '11' }).redacts, undefined);
  assert.equal(Pdu.from({ ...current, roomVersion: '10' }).redacts, undefined);
});

test('content is refused by the numbers that the version takes', () => {
  const content = parseJsonExactly('{"a":[1.0,1e400,9007199254740993]}') as NewPdu['content'];
  assert.match(buildPdu({ ...template('5'), content }).jsonText, /\[1\.0,1e400,9007199254740993\]/);
  assert.throws(() => buildPdu({ ...template('6'), content }), { errcode: 'M_BAD_JSON' });
  for (const bad of [{ a: 0.5 }, { a: 2 ** 53 }, { a: '\ud800' }, { '\udfff': 1 }]) {
    assert.throws(() => buildPdu({ ...template('11'), content: bad }), { errcode: 'M_BAD_JSON' });
  }
});

test('limits: 255 bytes of type and state key, 65,536 bytes in all', () => {
  const ok = { ...template('11'), type: 'a'.repeat(255), stateKey: 'é'.repeat(127) };
  assert.doesNotThrow(() => buildPdu(ok));
  for (const stateKey of ['a'.repeat(256), 'é'.repeat(128)]) {
    assert.throws(() => buildPdu({ ...ok, stateKey }), { errcode: 'M_TOO_LARGE' });
    assert.throws(() => buildPdu({ ...ok, type: stateKey }), { errcode: 'M_TOO_LARGE' });
  }
  for (const text of ['\0', '\ud800']) {
    assert.throws(() => buildPdu({ ...ok, type: text }), { errcode: 'M_BAD_JSON' });
    assert.throws(() => buildPdu({ ...ok, stateKey: text }), { errcode: 'M_BAD_JSON' });
  }
  const sizeWith = (body: string) =>
    Buffer.byteLength(buildPdu({ ...template('11'), content: { body } }).jsonText);
  const room = MAX_EVENT_BYTES - sizeWith('');
  assert.equal(sizeWith('x'.repeat(room)), MAX_EVENT_BYTES);
  assert.throws(() => sizeWith('x'.repeat(room + 1)), { errcode: 'M_TOO_LARGE' });
  assert.throws(() => sizeWith('é'.repeat(room / 2 + 1)), { errcode: 'M_TOO_LARGE' });
});

test('a Pdu has the properties of a record only, and is one again after JSON', () => {
  const pdu = buildPdu(template('11'));
  assert.deepEqual(Object.keys(pdu), ['eventId', 'roomVersion', 'json']);
  const again = Pdu.from(JSON.parse(JSON.stringify(pdu)));
  assert.deepEqual(again.json, pdu.json);
  assert.equal(Pdu.from(pdu), pdu);
  assert.deepEqual(JSON.parse(again.jsonText), JSON.parse(pdu.jsonText));
});

test('depth and time beyond 2^53 are read as the greatest safe integer', () => {
  const pdu = buildPdu(template('5'));
  const text = pdu.jsonText.replace('"depth":7', '"depth":9223372036854775807');
  const json = parseJsonExactly(text) as Pdu['json'];
  assert.equal(Pdu.from({ ...pdu, json }).depth, Number.MAX_SAFE_INTEGER);
  assert.equal(Pdu.from({ ...pdu, json }).jsonText.includes('9223372036854775807'), true);
});
