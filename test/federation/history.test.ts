// History of before one's server came into a room, as clients page back through it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Any, history, join, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2 });

it('is paged through to the beginning of the room, and not asked for twice', async () => {
  const { network } = scene();
  const owner = await network.server(0).user('owner');
  const late = await network.server(1).user('late');
  const roomId = await owner.createRoom({ preset: 'public_chat' });
  const said = Array.from({ length: 50 }, (_, i) => `old ${i}`);
  for (const body of said) await owner.send(roomId, body);
  await join(late, roomId, network.server(0).name);

  const whole = await history(owner, roomId);
  const found = await history(late, roomId);
  const ids = (events: Any[]) => events.map(({ event_id }) => event_id);
  assert.deepEqual(ids(found), ids(whole));
  assert.deepEqual(
    found.flatMap(({ content }) => content.body ?? []),
    said.toReversed(),
  );
  assert.equal(found.at(-1)?.type, 'm.room.create');

  const { exchanges } = network.link(1, 0);
  const { length } = exchanges;
  assert.deepEqual(ids(await history(late, roomId)), ids(found));
  assert.equal(exchanges.length, length);
});

it('goes on where it could not be had at first', async () => {
  const { network } = scene();
  const owner = await network.server(0).user('owner2');
  const late = await network.server(1).user('late2');
  const roomId = await owner.createRoom({ preset: 'public_chat' });
  await owner.send(roomId, 'long ago');
  await join(late, roomId, network.server(0).name);
  // One time more than it is asked at once.
  for (const _ of [1, 2]) network.link(1, 0).next(/backfill/, 'error');
  const path = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=20`;
  const { end } = await late.ok('GET', path);
  assert.equal(typeof end, 'string');
});
