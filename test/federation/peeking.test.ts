// Looking into rooms of other servers (MSC2444), between real servers: what a looker sees, and when it ends.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import { type Network, startNetwork } from './network.ts';

const WORLD_READABLE = {
  preset: 'public_chat',
  initial_state: [
    { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
  ],
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
type Body = any;

const roomPath = (roomId: string) => `/v3/rooms/${encodeURIComponent(roomId)}`;

async function peek(client: TestClient, roomId: string, via: string) {
  return client.call('POST', `/v3/peek/${encodeURIComponent(roomId)}`, { servers: [via] });
}

function bodiesIn(section: Body): string[] {
  return (section?.timeline?.events ?? []).map((event: Body) => event.content.body).filter(Boolean);
}

/** Follows the device's /sync until a message has come by `rooms.peek`; all messages seen, in order. */
async function watch(client: TestClient, roomId: string, since: string, text: string) {
  const seen: string[] = [];
  let next = since;
  await until(async () => {
    const answer = await client.sync({ since: next, timeout: '1000' });
    next = answer.next_batch;
    seen.push(...bodiesIn(answer.rooms?.peek?.[roomId]));
    return seen.includes(text);
  }, `"${text}" in the peeked room`);
  return { seen, since: next };
}

for (const roomVersion of ['11', '12']) {
  describe(`a room of version ${roomVersion} on another server`, () => {
    let network: Network;
    let alice: TestClient;
    let bob: TestClient;
    let roomId: string;
    const there = () => network.server(0).name;

    before(async () => {
      network = await startNetwork({ servers: 2, roomVersion });
      alice = await network.server(0).user('alice');
      bob = await network.server(1).user('bob');
      roomId = await alice.createRoom({ ...WORLD_READABLE, name: 'Square' });
      await alice.send(roomId, 'before');
    });
    after(() => network.close());

    test('23. nobody has joined it, and yet state, history and what is said live are seen', async () => {
      const peeked = await peek(bob, roomId, there());
      assert.equal(peeked.status, 200, JSON.stringify(peeked.body));
      assert.equal(peeked.body.room_id, roomId);
      const first = await bob.sync();
      const section = first.rooms?.peek?.[roomId];
      assert.ok(section, JSON.stringify(first.rooms));
      const state: Body[] = [...section.state.events, ...section.timeline.events];
      const named = state.find(({ type }) => type === 'm.room.name');
      assert.equal(named?.content.name, 'Square');
      assert.ok(
        state.some(({ type, state_key: key }) => type === 'm.room.member' && key === alice.userId),
      );
      await alice.send(roomId, 'live one');
      await alice.send(roomId, 'live two');
      const { seen } = await watch(bob, roomId, first.next_batch, 'live two');
      assert.deepEqual(seen, ['live one', 'live two']);
      const page = await bob.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=50`);
      const history = page.chunk.map((event: Body) => event.content.body).filter(Boolean);
      assert.deepEqual(history, ['live two', 'live one', 'before']);
    });
  });
}
