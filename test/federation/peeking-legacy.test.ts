// Today's clients look into rooms of other servers: initialSync and /events, as matrix-js-sdk asks for them, and by hand. Numbers
// are those of the acceptance tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient, type MatrixEvent, RoomEvent } from 'matrix-js-sdk';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { type Body, roomPath, WORLD_READABLE } from './peeking-scene.ts';

(logger as unknown as { setLevel(level: string, persist: boolean): void }).setLevel(
  'silent',
  false,
);

for (const roomVersion of ['11', '12']) {
  describe(`a preview of a remote room of version ${roomVersion}`, () => {
    let network: Network<ComposedServer>;
    let alice: TestClient;
    let bob: TestClient;
    let roomId: string;
    const via = () => `server_name=${encodeURIComponent(network.server(0).name)}`;

    before(async () => {
      network = await startNetwork({ servers: 2, roomVersion });
      alice = await network.server(0).user('alice');
      bob = await network.server(1).user('bob');
      roomId = await alice.createRoom({ ...WORLD_READABLE, name: 'Square' });
      await alice.send(roomId, 'before');
    });
    after(() => network.close());

    test('35. a room that no server is named for is found by its ID, if that names one', async () => {
      const { status } = await bob.call('GET', `${roomPath(roomId)}/initialSync?limit=20`);
      assert.equal(status, roomVersion === '12' ? 404 : 200);
      const peeked = await bob.call('POST', `/v3/peek/${encodeURIComponent(roomId)}`, {});
      assert.equal(peeked.status, roomVersion === '12' ? 404 : 200);
    });

    test('22. initialSync and /events give what is said live', async () => {
      const path = `${roomPath(roomId)}/initialSync?limit=20&${via()}`;
      const room = await bob.ok('GET', path);
      const named = room.state.find(({ type }: Body) => type === 'm.room.name');
      assert.equal(named?.content.name, 'Square');
      assert.equal(room.messages.chunk.at(-1).content.body, 'before');
      await alice.send(roomId, 'between');
      const seen: string[] = [];
      let from = '';
      await until(async () => {
        const query = `room_id=${encodeURIComponent(roomId)}&timeout=200${from}`;
        const { chunk, end } = await bob.ok('GET', `/v3/events?${query}`);
        from = `&from=${encodeURIComponent(end)}`;
        seen.push(...chunk.map(({ content }: Body) => content.body).filter(Boolean));
        if (seen.length === 1) await alice.send(roomId, 'live');
        return seen.includes('live');
      }, 'what is said live');
      assert.deepEqual(seen, ['between', 'live']);
      const { rooms } = await bob.sync();
      assert.equal(rooms?.peek?.[roomId] === undefined, roomVersion === '12');
    });

    test('22. matrix-js-sdk shows it by peekInRoom', async () => {
      const carol = await network.server(1).user('carol');
      const client = createClient({
        baseUrl: carol.baseUrl,
        userId: carol.userId,
        deviceId: carol.deviceId,
        accessToken: carol.token,
      });
      const room = await client.peekInRoom(roomId, 20);
      try {
        const live: string[] = [];
        client.on(RoomEvent.Timeline, (event: MatrixEvent) => {
          live.push(event.getContent().body);
        });
        assert.equal(room.name, 'Square');
        await alice.send(roomId, 'to all who look');
        await until(() => live.includes('to all who look'), 'the message in the preview');
        assert.equal(room.getMyMembership(), 'leave');
      } finally {
        client.stopPeeking();
        client.stopClient();
      }
    });

    test('what lookers may read is read: context, event, members, state', async () => {
      const eventId = await alice.send(roomId, 'read me');
      await until(async () => {
        const path = `${roomPath(roomId)}/event/${encodeURIComponent(eventId)}`;
        return (await bob.call('GET', path)).status === 200;
      }, 'the event');
      const context = await bob.ok('GET', `${roomPath(roomId)}/context/${eventId}?limit=4`);
      assert.equal(context.event.content.body, 'read me');
      assert.ok(context.events_before.length > 0);
      const { chunk } = await bob.ok('GET', `${roomPath(roomId)}/members`);
      assert.deepEqual(
        chunk.map(({ state_key: key }: Body) => key),
        [alice.userId],
      );
      const state: Body[] = await bob.ok('GET', `${roomPath(roomId)}/state`);
      assert.ok(state.some(({ type }) => type === 'm.room.create'));
      assert.equal((await bob.call('GET', `${roomPath(roomId)}/joined_members`)).status, 403);
    });
  });
}
