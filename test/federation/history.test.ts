// History of before one's server came into a room, as clients page back through it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { TestClient } from '../client.ts';
import { type Any, history, join, roomPath, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2, clock: 'manual' });

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

it('ends where it cannot be had, and goes on from there when it can', async () => {
  const { network } = scene();
  const owner = await network.server(0).user('owner2');
  const late = await network.server(1).user('late2');
  const roomId = await owner.createRoom({ preset: 'public_chat' });
  await owner.send(roomId, 'long ago');
  await join(late, roomId, network.server(0).name);
  const id = await owner.send(roomId, 'since then');
  const event = roomPath(roomId, `event/${encodeURIComponent(id)}`);
  await network.pump(async () => (await late.call('GET', event)).status === 200, 'since then');
  network.partition([[0], [1]]);
  const { chunk, end } = await page(late, roomId);
  assert.deepEqual(
    chunk.map(({ type }: Any) => type),
    ['m.room.message', 'm.room.member'],
  );
  for (const _ of [1, 2]) {
    const next = await page(late, roomId, end);
    assert.deepEqual([next.chunk, next.end], [[], end]);
  }
  network.heal();
  let rest: Any;
  const isThere = async () => {
    rest = await page(late, roomId, end);
    return rest.chunk.length > 0;
  };
  await network.pump(isThere, 'what was missing');
  const last = rest.chunk.at(-1);
  assert.deepEqual([rest.chunk[0].content.body, last.type], ['long ago', 'm.room.create']);
  assert.equal(rest.end, undefined);
});

function page(client: TestClient, roomId: string, from?: string): Promise<Any> {
  const query = from === undefined ? '' : `&from=${encodeURIComponent(from)}`;
  return client.ok('GET', roomPath(roomId, `messages?dir=b&limit=20${query}`));
}
