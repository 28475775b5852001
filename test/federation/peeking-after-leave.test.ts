// Who leaves a room and looks into it at once: the other server hears of the leave before it is asked for the state.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { type Body, peek, roomPath, WORLD_READABLE } from './peeking-scene.ts';
import { join, leave } from './scene.ts';

let network: Network<ComposedServer>;
before(async () => {
  network = await startNetwork({ servers: 2 });
});
after(() => network?.close());

async function joinedRoom() {
  const [owner, looker] = await Promise.all([
    network.server(0).user(`owner${Math.trunc(performance.now())}`),
    network.server(1).user(`looker${Math.trunc(performance.now())}`),
  ]);
  const via = network.server(0).name;
  const roomId = await owner.createRoom(WORLD_READABLE);
  await join(looker, roomId, via);
  return { owner, looker, roomId, via };
}

const looks = () => network.link(1, 0).exchanges.filter(({ path }) => path.includes('/peek/'));

test('the look waits until the leave has been delivered, and shows it', async () => {
  const { looker, roomId, via } = await joinedRoom();
  const before = looks().length;
  const held = network.link(1, 0).hold('/send/');
  await leave(looker, roomId);
  const answer = peek(looker, roomId, [via]);
  await held.arrived;
  assert.equal(looks().length, before);
  held.release();
  assert.equal((await answer).status, 200);
  const { status, body } = await looker.call(
    'GET',
    `${roomPath(roomId)}/state/m.room.member/${encodeURIComponent(looker.userId)}`,
  );
  assert.deepEqual([status, (body as Body).membership], [200, 'leave']);
  assert.equal((await peek(looker, roomId, [via])).status, 200);
});

test('a leave that cannot be delivered now keeps nobody from looking', async () => {
  const { looker, roomId, via } = await joinedRoom();
  network.link(1, 0).next('/send/', 'error');
  await leave(looker, roomId);
  assert.equal((await peek(looker, roomId, [via])).status, 200);
});
