// Looking across servers where one of them is not to be trusted, or history has forked. Numbers are those of the acceptance tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { HostileServer } from './hostile-server.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { type Body, peek, peekOk, roomPath, WORLD_READABLE } from './peeking-scene.ts';

const OPEN = {
  type: 'm.room.history_visibility',
  stateKey: '',
  content: { history_visibility: 'world_readable' },
};
const encode = encodeURIComponent;

describe('looking across servers that are not to be trusted', () => {
  let network: Network<ComposedServer>;
  let alice: TestClient;
  let bob: TestClient;
  let other: HostileServer;
  const there = () => network.server(0).name;

  before(async () => {
    network = await startNetwork({ servers: 2, roomVersion: '11' });
    alice = await network.server(0).user('alice');
    bob = await network.server(1).user('bob');
    other = await HostileServer.start();
  });
  after(async () => {
    await other.close();
    await network.close();
  });

  /** The state as the client sees it: event ids by type and key. */
  async function stateOf(client: TestClient, roomId: string): Promise<Record<string, string>> {
    const state: Body[] = await client.ok('GET', `${roomPath(roomId)}/state`);
    const entries = state.map(({ type, state_key: key, event_id: id }) => [`${type} ${key}`, id]);
    return Object.fromEntries(entries.sort(([one], [two]) => (one < two ? -1 : 1)));
  }

  test('26. of two forward extremities the state is resolved as by the resident', async () => {
    const eve = other.user('eve');
    const roomId = await alice.createRoom({
      ...WORLD_READABLE,
      power_level_content_override: { state_default: 0 },
    });
    const room = await other.join(there(), roomId, eve);
    const prevEvents = room.heads;
    await alice.setState(roomId, 'm.room.topic', '', { topic: 'of the one' });
    await alice.setState(roomId, 'm.room.name', '', { name: 'of the one' });
    const topic = { type: 'm.room.topic', stateKey: '', sender: eve };
    const event = room.add({ ...topic, content: { topic: 'of the other' }, prevEvents });
    assert.equal((await other.send(there(), [event])).status, 200);
    const { api } = network.server(0).keyhole.components.roomserver;
    const extremities = async () =>
      (await api.queryRoom({ roomId: roomId as never }))?.forwardExtremities.length;
    await until(async () => (await extremities()) === 2, 'two extremities');
    await peekOk(bob, roomId, there());
    assert.deepEqual(await stateOf(bob, roomId), await stateOf(alice, roomId));
  });

  /** Answers PUT /peek of its room, changed as the test wants; takes DELETE. */
  function shows(room: ForeignRoom, changed: (events: Pdu[]) => Pdu[]): () => void {
    return other.on(/^\/_matrix\/federation\/v1\/peek\//, ({ method }) => {
      if (method !== 'PUT') return {};
      const [latest] = room.heads;
      const state = changed(room.stateEvents());
      const events = changed([...new Set([...room.stateEvents(), ...room.authChain(state)])]);
      return {
        latest_event_state_ids: { [`${latest}`]: [] },
        common_state_ids: state.map(({ eventId }) => eventId),
        events: events.map(({ json }) => json),
        renewal_interval: 3_600_000,
      } as never;
    });
  }

  test('33. a state with a forged event is not taken, the look is taken back, nothing is kept', async () => {
    const room = other.createRoom('11', { initialState: [OPEN] });
    const powers = room.current('m.room.power_levels');
    assert.ok(powers);
    const content = { users: { [bob.userId]: 100 } };
    const forger = { name: other.name, now: Date.now, signingKey: generateSigningKey() };
    const forged = room.altered(powers, { content }, forger);
    const stop = shows(room, (events) => events.map((one) => (one === powers ? forged : one)));
    try {
      const { status, body } = await peek(bob, room.roomId, [other.name]);
      assert.notEqual(status, 200, JSON.stringify(body));
      const asked = () => other.askedFor(/\/peek\//);
      await until(() => asked().some(({ method }) => method === 'DELETE'), 'the end');
      const puts = asked().filter(({ method }) => method === 'PUT');
      const deletes = asked().filter(({ method }) => method === 'DELETE');
      assert.deepEqual(
        deletes.map(({ path }) => path),
        puts.map(({ path }) => path),
      );
      const { database } = network.server(1).keyhole;
      const rooms = await database.all(
        sql`SELECT 1 FROM roomserver_rooms WHERE room_id = ${room.roomId}`,
      );
      assert.equal(rooms.length, 0);
      assert.equal((await bob.call('GET', `${roomPath(room.roomId)}/state`)).status, 403);
    } finally {
      stop();
    }
    // Shown as it is, it is looked into: it was the forgery.
    const stopHonest = shows(room, (events) => events);
    try {
      await peekOk(bob, room.roomId, other.name);
    } finally {
      stopHonest();
    }
  });

  test('32. who is not in the room reads what is open, and nothing else', async () => {
    const closed = { type: 'm.room.history_visibility', content: { history_visibility: 'shared' } };
    const roomId = await alice.createRoom({ preset: 'public_chat', initial_state: [closed] });
    const hidden = await alice.send(roomId, 'hidden');
    const visibility = { history_visibility: 'world_readable' };
    await alice.setState(roomId, 'm.room.history_visibility', '', visibility);
    const open = await alice.send(roomId, 'open');
    const path = (name: string) => `/_matrix/federation/v1/${name}`;
    const ask = (name: string, body?: Body) =>
      other.request(there(), body === undefined ? 'GET' : 'POST', path(name), body);
    const contentOf = (pdus: Body[], text: string) =>
      pdus.filter(({ content }) => content.body === text).length;

    const event = await ask(`event/${encode(open)}`);
    assert.equal(contentOf(event.body.pdus, 'open'), 1);
    const secret = await ask(`event/${encode(hidden)}`);
    assert.ok(!JSON.stringify(secret.body).includes('"hidden"'));
    const backfill = await ask(`backfill/${encode(roomId)}?v=${encode(open)}&limit=20`);
    assert.equal(contentOf(backfill.body.pdus, 'open'), 1);
    assert.ok(backfill.body.pdus.length > 5, 'connected all the same');
    const missing = await ask(`get_missing_events/${encode(roomId)}`, {
      earliest_events: [],
      latest_events: [open],
      limit: 20,
      min_depth: 0,
    });
    assert.equal(missing.status, 200);
    const state = await ask(`state/${encode(roomId)}?event_id=${encode(open)}`);
    assert.ok(state.body.pdus.length >= 5);
    const ids = await ask(`state_ids/${encode(roomId)}?event_id=${encode(open)}`);
    assert.equal(ids.body.pdu_ids.length, state.body.pdus.length);
    const auth = await ask(`event_auth/${encode(roomId)}/${encode(open)}`);
    assert.equal(auth.status, 200);
    for (const answer of [backfill, missing, state, ids, auth]) {
      assert.ok(!JSON.stringify(answer.body).includes('"hidden"'));
    }
    await alice.setState(roomId, 'm.room.history_visibility', '', { history_visibility: 'shared' });
    for (const name of [
      `event/${encode(open)}`,
      `backfill/${encode(roomId)}?v=${encode(open)}&limit=20`,
      `state/${encode(roomId)}?event_id=${encode(open)}`,
      `state_ids/${encode(roomId)}?event_id=${encode(open)}`,
      `event_auth/${encode(roomId)}/${encode(open)}`,
    ]) {
      assert.equal((await ask(name)).status, 403, name);
    }
  });
});
