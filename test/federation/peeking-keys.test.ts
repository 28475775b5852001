// Looking into a room with members on servers that the looker's own cannot reach: the server through which is looked tells their
// keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Looker } from './looker.ts';
import { startNetwork } from './network.ts';
import { WORLD_READABLE } from './peeking-scene.ts';
import { join } from './scene.ts';

test('members of a server that cannot be reached are seen, from the state and in what they say', async () => {
  const network = await startNetwork({ servers: 3, roomVersion: '11', clock: 'manual' });
  try {
    const alice = await network.server(0).user('alice');
    const carol = await network.server(1).user('carol');
    const bob = await network.server(2).user('bob');
    const [resident, unreachable, looking] = network.servers.map(({ name }) => name);
    const roomId = await alice.createRoom(WORLD_READABLE);
    await join(carol, roomId, resident);
    // Keys are asked for without saying who asks: nobody gets those of Carol's server any more but who has them.
    network.links.cutWhere(
      (one, other) =>
        [one, other].some((name) => name === looking || name === 'unsigned') &&
        [one, other].includes(unreachable ?? ''),
    );
    const looker = await Looker.at(network, bob, [roomId, resident ?? '']);
    const members = looker.events.filter(({ type }) => type === 'm.room.member');
    assert.ok(members.some(({ state_key: user }) => user === carol.userId));
    await carol.send(roomId, 'can you hear me?');
    await looker.sees('can you hear me?');
  } finally {
    await network.close();
  }
});
