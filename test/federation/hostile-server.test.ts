// What the hostile server does before a test scripts it is right: two of them get along.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase64 } from '../../src/protocol/base64.ts';
import { Pdu, type PduJson } from '../../src/protocol/events/pdu.ts';
import { isContentHashValid } from '../../src/protocol/hashing.ts';
import { isSignedJson, isSignedPdu } from '../../src/protocol/signing.ts';
import { ask } from './asking.ts';
import { HostileServer, Refusal } from './hostile-server.ts';

for (const version of ['6', '11', '12'] as const) {
  test(`joins, sends and answers, room version ${version}`, async (t) => {
    const one = await HostileServer.start();
    t.after(() => one.close());
    const other = await HostileServer.start();
    t.after(() => other.close());

    const room = one.createRoom(version);
    const joined = await other.join(one.name, room.roomId, other.user('bob'));
    assert.equal(joined.roomId, room.roomId);
    assert.deepEqual(joined.heads, room.heads);
    assert.equal(joined.stateEvents().length, 5);
    assert.equal(room.current('m.room.member', other.user('bob'))?.membership, 'join');

    const content = { body: 'hello' };
    const message = joined.add({ type: 'm.room.message', sender: other.user('bob'), content });
    assert.equal(message.authEvents.length, version === '12' ? 2 : 3);
    assert.equal((await other.send(one.name, [message])).status, 200);
    assert.deepEqual(room.heads, [message.eventId]);
    const path = `/_matrix/federation/v1/event/${message.eventId}`;
    const { body } = await other.request(one.name, 'GET', path);
    assert.deepEqual(body.pdus, [message.json]);

    const { body: keys } = await ask({
      destination: other.name,
      method: 'GET',
      path: '/_matrix/key/v2/server',
    });
    const [keyId = ''] = Object.keys(keys.verify_keys);
    const publicKey = decodeBase64(keys.verify_keys[keyId].key);
    assert.ok(publicKey);
    const signer = { entity: other.name, keyId, publicKey };
    assert.ok(isSignedJson(keys, signer));
    assert.ok(isSignedPdu(message.json, room.rules, signer));
    assert.ok(isContentHashValid(message.json, room.rules));
    const forged = joined.altered(message, { content: { body: 'bye' } });
    assert.ok(isSignedPdu(forged.json, room.rules, signer));
    assert.ok(!isContentHashValid(forged.json, room.rules));
  });
}

test('answers as it is told to, and again as before', async (t) => {
  const server = await HostileServer.start();
  t.after(() => server.close());
  const room = server.createRoom('12');
  const path = `/_matrix/federation/v1/backfill/${encodeURIComponent(room.roomId)}`;
  const backfill = () => server.request(server.name, 'GET', `${path}?v=${room.heads[0]}&limit=3`);
  const off = server.on(/backfill/, () => {
    throw new Refusal(403, { errcode: 'M_FORBIDDEN' });
  });
  assert.equal((await backfill()).status, 403);
  off();
  const { body } = await backfill();
  const types = (body.pdus as PduJson[]).map((json) => Pdu.from(room.pduOf(json)).type);
  assert.deepEqual(types, ['m.room.join_rules', 'm.room.power_levels', 'm.room.member']);
  assert.equal(server.askedFor(/backfill/).length, 2);
});
