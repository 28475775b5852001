// What a request that waits is told when its device is signed out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loginAgain, register, type TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let alice: TestClient;
let room: string;

before(async () => {
  server = await startInProcess();
  alice = await register(server.baseUrl, 'alice');
  room = await alice.createRoom();
});

after(async () => {
  await server.close();
});

for (const [path, from] of [
  ['/v3/events', 'from'],
  ['/v3/sync', 'since'],
] as const) {
  test(`a waiting ${path} of a device that is signed out tells nothing more`, async () => {
    const thief = await loginAgain(alice);
    await thief.sync();
    await server.settled();
    // Neither that she is there nor her new device is news any more that would end the wait.
    const { next_batch } = await thief.sync();
    const waiting = thief.call('GET', `${path}?${from}=${next_batch}&timeout=300000`);
    await server.untilWaiting(thief);
    await alice.ok('POST', '/v3/account/password', {
      new_password: 'secret of alice',
      auth: { type: 'm.login.password', user: 'alice', password: 'secret of alice' },
    });
    await alice.send(room, 'not for everybody');
    const { status, body } = await waiting;
    assert.deepEqual([status, body.errcode], [401, 'M_UNKNOWN_TOKEN']);
  });
}

test('others of the same user go on waiting', async () => {
  const other = await loginAgain(alice);
  await server.settled();
  const { next_batch } = await alice.sync();
  const waiting = alice.call('GET', `/v3/events?from=${next_batch}&timeout=300000`);
  await server.untilWaiting(alice);
  await other.ok('POST', '/v3/logout', {});
  await alice.send(room, 'for the owner');
  const { status, body } = await waiting;
  assert.equal(status, 200);
  assert.match(JSON.stringify(body.chunk), /for the owner/);
});
