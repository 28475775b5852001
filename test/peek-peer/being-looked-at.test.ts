// A server that Keyhole shares no code with looks into Keyhole's rooms: in the words of MSC2444, of Dendrite and of Palpo.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import type { Dialect } from './dialects.ts';
import { idOf } from './events.ts';
import { idsOf, type PeekPeer } from './peek-peer.ts';
import { newPeekId, peekUri } from './peeker.ts';
import { HOUR_MS, MINUTE_MS, openScene, type Scene } from './scene.ts';

const DIALECTS: readonly Dialect[] = ['msc2444', 'dendrite', 'palpo'];
const WORLD_READABLE = {
  preset: 'public_chat',
  initial_state: [
    { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
  ],
};

async function openRoom(scene: Scene, more = {}): Promise<{ alice: TestClient; roomId: string }> {
  const alice = await scene.server.user('alice');
  const roomId = await alice.createRoom({ ...WORLD_READABLE, ...more });
  return { alice, roomId };
}

/** Ids of the room's state, as a member is told it. */
async function stateOf(client: TestClient, roomId: string): Promise<string[]> {
  const state = await client.ok('GET', `/v3/rooms/${encodeURIComponent(roomId)}/state`);
  return state.map(({ event_id: id }: { event_id: string }) => id).sort();
}

/** Resolves once the message has been relayed to the peer. */
async function hears(scene: Scene, peer: PeekPeer, body: string): Promise<void> {
  const isHeard = () => peer.received.some(({ event }) => event.content.body === body);
  await scene.passUntil(isHeard, `"${body}" is relayed`);
}

for (const dialect of DIALECTS) {
  describe(`a server that looks in the words of ${dialect}`, () => {
    for (const version of ['11', '12']) {
      test(`reads the whole answer, room version ${version}`, async (t) => {
        const scene = await openScene(t);
        const { alice, roomId } = await openRoom(scene, { room_version: version });
        await alice.send(roomId, 'one');
        const last = await alice.send(roomId, 'two');
        const snapshot = await scene.peer.look(scene.server.name, roomId, { dialect });
        assert.equal(snapshot.renewalInterval, HOUR_MS);
        assert.deepEqual(snapshot.heads, [last]);
        const ids = [...(snapshot.state?.values() ?? [])].sort();
        assert.deepEqual(ids, await stateOf(alice, roomId));
        assert.equal(snapshot.events.get(last)?.content.body, 'two');
        assert.deepEqual(scene.peer.faults, []);
      });
    }

    test('is told once of everything that anybody says from then on', async (t) => {
      const scene = await openScene(t, { servers: 2 });
      const { peer, server } = scene;
      const { alice, roomId } = await openRoom(scene);
      const bob = await scene.network.server(1).user('bob');
      await bob.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?via=${server.name}`, {});
      await alice.send(roomId, 'before');
      const snapshot = await peer.look(server.name, roomId, { dialect });
      // A further subscription brings no second copy; Dendrite has no other id for it.
      if (dialect !== 'dendrite') {
        await peer.look(server.name, roomId, { dialect, peekId: 'peek_2' });
      }
      const sent: string[] = [];
      for (const round of [1, 2, 3]) {
        sent.push(await alice.send(roomId, `alice ${round}`));
        sent.push(await bob.send(roomId, `bob ${round}`));
        await hears(scene, peer, `bob ${round}`);
        await hears(scene, peer, `alice ${round}`);
      }
      sent.push(await alice.setState(roomId, 'm.room.topic', '', { topic: 'state' }));
      await alice.send(roomId, 'the end');
      await hears(scene, peer, 'the end');
      const ids = idsOf(peer.received);
      assert.equal(new Set(ids).size, ids.length);
      assert.deepEqual([...ids.slice(0, -1)].sort(), sent.sort());
      const isKnown = (id: string) => snapshot.events.has(id) || ids.includes(id);
      for (const { origin, event } of peer.received) {
        assert.equal(origin, server.name);
        assert.ok(event.prev_events.every(isKnown), 'stream and snapshot meet');
        assert.ok(event.auth_events.every(isKnown));
      }
      assert.deepEqual(peer.faults, []);
    });

    test('keeps its subscription in its own way, and is told when it has not', async (t) => {
      const scene = await openScene(t);
      const { peer, server } = scene;
      const { alice, roomId } = await openRoom(scene);
      await peer.look(server.name, roomId, { dialect });
      const peekId = newPeekId(dialect, roomId);
      for (const round of [1, 2, 3]) {
        await scene.pass(40 * MINUTE_MS);
        await renew(scene, dialect, roomId, peekId);
        await alice.send(roomId, `renewed ${round}`);
        await hears(scene, peer, `renewed ${round}`);
      }
      await scene.pass(61 * MINUTE_MS);
      await scene.passUntil(() => peer.expired.length > 0, 'expired_peeks');
      const told = { origin: server.name, room_id: roomId, peek_id: peekId };
      assert.deepEqual(peer.expired, [told]);
      const before = peer.received.length;
      await alice.send(roomId, 'to nobody');
      await scene.pass(MINUTE_MS);
      await server.settled();
      assert.equal(peer.received.length, before);
    });

    test('is told of what closes the room, then of the end', async (t) => {
      const scene = await openScene(t);
      const { peer, server } = scene;
      const { alice, roomId } = await openRoom(scene);
      await peer.look(server.name, roomId, { dialect });
      const closed = { history_visibility: 'shared' };
      const closing = await alice.setState(roomId, 'm.room.history_visibility', '', closed);
      await alice.send(roomId, 'secret');
      await until(() => peer.expired.length > 0, 'expired_peeks');
      assert.deepEqual(idsOf(peer.received), [closing]);
      assert.equal((await peer.putPeek(server.name, roomId, { dialect })).status, 403);
    });

    test('ends its subscription', async (t) => {
      const scene = await openScene(t);
      const { peer, server } = scene;
      const { alice, roomId } = await openRoom(scene);
      await peer.look(server.name, roomId, { dialect });
      const uri = peekUri(roomId, newPeekId(dialect, roomId));
      assert.deepEqual(await peer.tell(server.name, 'DELETE', uri), {});
      assert.equal((await peer.request(server.name, 'DELETE', uri)).status, 404);
      await alice.send(roomId, 'to nobody');
      await scene.pass(MINUTE_MS);
      await server.settled();
      assert.deepEqual([peer.received, peer.expired], [[], []]);
    });
  });
}

/** Dendrite and Palpo renew by the same request again. */
async function renew(
  { peer, server }: Scene,
  dialect: Dialect,
  roomId: string,
  peekId: string,
): Promise<void> {
  if (dialect !== 'msc2444') {
    await peer.look(server.name, roomId, { dialect });
    return;
  }
  const answer = await peer.tell(server.name, 'POST', `${peekUri(roomId, peekId)}/renew`, {});
  assert.deepEqual(answer, { renewal_interval: HOUR_MS });
}

test('fields of one dialect are not sent to another', async (t) => {
  const scene = await openScene(t);
  const { roomId } = await openRoom(scene);
  const { body } = await scene.peer.putPeek(scene.server.name, roomId);
  assert.deepEqual(Object.keys(body).sort(), [
    'common_state_ids',
    'events',
    'latest_event_state_ids',
    'renewal_interval',
    'room_version',
  ]);
});

test('two forward extremities are both there, with the states after them', async (t) => {
  const scene = await openScene(t, { servers: 2 });
  const { peer, server, network } = scene;
  const { alice, roomId } = await openRoom(scene);
  const bob = await network.server(1).user('bob');
  await bob.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?via=${server.name}`, {});
  await alice.ok('PUT', `/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.power_levels/`, {
    users: { [bob.userId]: 50 },
  });
  const stateSeen = async () =>
    (await stateOf(bob, roomId)).join() === (await stateOf(alice, roomId)).join();
  await scene.passUntil(stateSeen, 'both know the same');
  network.partition([[0], [1]]);
  const name = await alice.setState(roomId, 'm.room.name', '', { name: 'one' });
  const topic = await bob.setState(roomId, 'm.room.topic', '', { topic: 'other' });
  network.heal();
  let heads: readonly string[] = [];
  await scene.passUntil(async () => {
    ({ heads } = await peer.look(server.name, roomId));
    return heads.length === 2;
  }, 'two forward extremities');
  const { statesAfter } = await peer.look(server.name, roomId);
  assert.ok(statesAfter.get(name)?.includes(name));
  assert.ok(statesAfter.get(topic)?.includes(topic));
  assert.equal(statesAfter.get(name)?.includes(topic), false);
  assert.equal(statesAfter.get(topic)?.includes(name), false);
  const old = await peer.look(server.name, roomId, { dialect: 'palpo', peekId: 'peek_3' });
  const ids = [...(old.state?.values() ?? [])];
  assert.ok(ids.includes(name) && ids.includes(topic), 'resolved for those that want one state');
  assert.deepEqual([...old.heads].sort(), [name, topic].sort());
  for (const event of old.events.values()) assert.ok(idOf(event));
});
