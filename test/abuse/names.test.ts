// Names that every object of JavaScript has, or its prototype by, where clients may choose names.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { register, type TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let alice: TestClient;
let version: string;

before(async () => {
  server = await startInProcess();
  alice = await register(server.baseUrl, 'alice');
  const backup = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} };
  ({ version } = await alice.ok('POST', '/v3/room_keys/version', backup));
});

after(async () => {
  await server.close();
});

const KEY = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };

function pathOf(room: string, session?: string): string {
  const place = session === undefined ? room : `${room}/${session}`;
  return `/v3/room_keys/keys/${place}?version=${version}`;
}

test('keys in a backup of rooms and sessions so called are kept, and change nothing else', async () => {
  await alice.ok('PUT', pathOf('__proto__', 'polluted'), KEY);
  await alice.ok('PUT', pathOf('room', '__proto__'), KEY);
  const { rooms } = await alice.ok('GET', `/v3/room_keys/keys?version=${version}`);
  assert.deepEqual(Object.keys(rooms), ['__proto__', 'room']);
  assert.equal('polluted' in {}, false);
  for (const [room, session] of [
    ['__proto__', 'polluted'],
    ['room', '__proto__'],
  ] as const) {
    assert.deepEqual(await alice.ok('GET', pathOf(room, session)), KEY);
    const { sessions } = await alice.ok('GET', pathOf(room));
    assert.deepEqual(Object.keys(sessions), [session]);
  }
});

test('keys that are not there are not found', async () => {
  for (const [room, session] of [
    ['constructor', 'name'],
    ['__proto__', 'toString'],
    ['room', 'constructor'],
  ] as const) {
    const { status, body } = await alice.call('GET', pathOf(room, session));
    assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'], `${room} ${session}`);
  }
});
