import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PduJson } from './events/pdu.ts';
import { contentHashOf, eventIdOf, isContentHashValid, referenceHashOf } from './hashing.ts';
import { parseJsonExactly } from './json.ts';
import { redactPdu } from './redaction.ts';
import { ROOM_VERSIONS, rulesOf } from './roomversions/table.ts';

const FLOATS = parseJsonExactly(
  '{"type":"m.room.power_levels","state_key":"","sender":"@a:b","room_id":"!a:b","event_id":"$a:b","depth":9223372036854775807,' +
    '"origin_server_ts":1,"prev_events":[],"auth_events":[],"content":{"users":{"@a:b":50.570},"ban":1e2,"kick":-0}}',
) as PduJson;
const PLAIN = JSON.parse(JSON.stringify(FLOATS)) as PduJson;
const EVENT = { ...PLAIN, depth: 1, content: { users: { '@a:b': 50 }, body: 'x' } };

test('hashes of floats and big integers are stable through storage, in versions 1 to 5', () => {
  for (const id of ROOM_VERSIONS.slice(0, 5)) {
    const rules = rulesOf(id);
    const stored = parseJsonExactly(JSON.stringify(FLOATS)) as PduJson;
    assert.equal(contentHashOf(stored, rules), contentHashOf(FLOATS, rules));
    assert.equal(referenceHashOf(stored, rules), referenceHashOf(FLOATS, rules));
    assert.equal(eventIdOf(stored, rules), eventIdOf(FLOATS, rules));
    // What a plain JSON.parse would make of it has other hashes.
    assert.notEqual(contentHashOf(PLAIN, rules), contentHashOf(FLOATS, rules));
    assert.notEqual(referenceHashOf(PLAIN, rules), referenceHashOf(FLOATS, rules));
  }
});

test('from version 6 on such events have no hash', () => {
  for (const id of ROOM_VERSIONS.slice(5)) {
    assert.throws(() => contentHashOf(FLOATS, rulesOf(id)), { errcode: 'M_BAD_JSON' });
    assert.throws(() => eventIdOf(FLOATS, rulesOf(id)), { errcode: 'M_BAD_JSON' });
  }
});

test('event ids: as written, in standard base64, in URL-safe base64', () => {
  assert.equal(eventIdOf(EVENT, rulesOf('1')), '$a:b');
  assert.equal(eventIdOf(EVENT, rulesOf('2')), '$a:b');
  const standard = Array.from({ length: 50 }, (_, depth) =>
    eventIdOf({ ...EVENT, depth }, rulesOf('3')),
  );
  const urlSafe = Array.from({ length: 50 }, (_, depth) =>
    eventIdOf({ ...EVENT, depth }, rulesOf('4')),
  );
  for (const eventId of standard) assert.match(eventId, /^\$[A-Za-z0-9+/]{43}$/);
  for (const eventId of urlSafe) assert.match(eventId, /^\$[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(
    standard.map((eventId) => eventId.replaceAll('+', '-').replaceAll('/', '_')),
    urlSafe,
  );
});

test('the id does not depend on what redaction takes, on signatures or unsigned', () => {
  const rules = rulesOf('10');
  const id = eventIdOf(EVENT, rules);
  assert.equal(eventIdOf(redactPdu(EVENT, rules), rules), id);
  assert.equal(eventIdOf({ ...EVENT, signatures: { a: {} }, unsigned: { age: 1 } }, rules), id);
  assert.notEqual(eventIdOf({ ...EVENT, hashes: { sha256: 'a' } }, rules), id);
  assert.notEqual(eventIdOf({ ...EVENT, depth: 2 }, rules), id);
});

test('a content hash is valid padded or not, and for nothing else', () => {
  const rules = rulesOf('11');
  const sha256 = contentHashOf(EVENT, rules);
  assert.equal(isContentHashValid({ ...EVENT, hashes: { sha256 } }, rules), true);
  assert.equal(isContentHashValid({ ...EVENT, hashes: { sha256: `${sha256}=` } }, rules), true);
  const changed = { ...EVENT, hashes: { sha256 }, content: {} };
  assert.equal(isContentHashValid(changed, rules), false);
  for (const wrong of ['', 'a', '!', sha256.slice(1), 1, null, undefined]) {
    const hashes = { sha256: wrong } as unknown as PduJson['content'];
    assert.equal(isContentHashValid({ ...EVENT, hashes }, rules), false);
  }
  assert.equal(isContentHashValid(EVENT, rules), false);
});
