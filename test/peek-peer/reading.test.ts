// What a server outside of a room may read of it: the six endpoints that MSC2444 opens, each gated on the visibility of
// what is asked for.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestClient } from '../client.ts';
import { idOf } from './events.ts';
import type { Json } from './json.ts';
import { closeScene, openSceneFor, type Scene } from './scene.ts';

const encode = encodeURIComponent;
const V1 = '/_matrix/federation/v1';
const visibility = (value: string) => ({ history_visibility: value });

/** A room that was closed, then open, then closed, then open again, with a message and a topic in each era. */
interface Eras {
  readonly roomId: string;
  readonly alice: TestClient;
  /** By name of the era: `closed`, `open`, `shut`, `reopened`. */
  readonly messages: Readonly<Record<string, string>>;
  readonly topics: Readonly<Record<string, string>>;
  readonly create: string;
}

let users = 0;

async function makeEras(scene: Scene): Promise<Eras> {
  users += 1;
  const alice = await scene.server.user(`alice${users}`);
  const roomId = await alice.createRoom({ preset: 'private_chat', room_version: '11' });
  const messages: Record<string, string> = {};
  const topics: Record<string, string> = {};
  const eras = {
    closed: 'shared',
    open: 'world_readable',
    shut: 'joined',
    reopened: 'world_readable',
  };
  for (const [era, value] of Object.entries(eras)) {
    await alice.setState(roomId, 'm.room.history_visibility', '', visibility(value));
    messages[era] = await alice.send(roomId, era);
    topics[era] = await alice.setState(roomId, 'm.room.topic', '', { topic: era });
  }
  const state = await alice.ok('GET', `/v3/rooms/${encode(roomId)}/state`);
  const create = state.find(({ type }: Json) => type === 'm.room.create').event_id;
  return { roomId, alice, messages, topics, create };
}

describe('a room that was open at times, from outside', () => {
  let scene: Scene;
  let room: Eras;
  before(async () => {
    scene = await openSceneFor({ config: { rate_limits: { enabled: false } } });
    room = await makeEras(scene);
  });
  after(() => closeScene(scene));

  const get = (path: string) => scene.peer.request(scene.server.name, 'GET', `${V1}${path}`);
  const event = (id: string | undefined) => get(`/event/${encode(id ?? '')}`);
  const ofRoom = (action: string, rest = '') => get(`/${action}/${encode(room.roomId)}${rest}`);
  const stateAt = (action: string, id: string | undefined) =>
    ofRoom(action, `?event_id=${encode(id ?? '')}`);

  test('event: those of open times, and what is current now', async () => {
    for (const era of ['open', 'reopened']) {
      const { status, body } = await event(room.messages[era]);
      assert.equal(status, 200);
      assert.equal(body.origin, scene.server.name);
      assert.equal(body.pdus[0].content.body, era);
      assert.equal(idOf(body.pdus[0]), room.messages[era]);
    }
    assert.equal((await event(room.topics.open)).body.pdus[0].content.topic, 'open');
    // It predates the opening, and is told by every peek.
    assert.equal((await event(room.create)).body.pdus[0].type, 'm.room.create');
    for (const hidden of [room.messages.closed, room.messages.shut, room.topics.closed]) {
      const { status, body } = await event(hidden);
      assert.deepEqual([status, body.errcode, body.pdus], [403, 'M_FORBIDDEN', undefined]);
    }
    const unknown = await event(`$${'x'.repeat(43)}`);
    assert.deepEqual([unknown.status, unknown.body.errcode], [404, 'M_NOT_FOUND']);
  });

  test('event_auth: of the same events', async () => {
    for (const seen of [room.messages.open, room.topics.reopened, room.create]) {
      const { status, body } = await ofRoom('event_auth', `/${encode(seen ?? '')}`);
      assert.equal(status, 200);
      for (const cited of body.auth_chain) assert.notEqual(idOf(cited), seen);
    }
    const { status, body } = await ofRoom('event_auth', `/${encode(room.messages.shut ?? '')}`);
    assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN']);
  });

  test('state and state_ids: whole, at events of open times alone', async () => {
    const { status, body } = await stateAt('state', room.messages.reopened);
    assert.equal(status, 200);
    const topic = body.pdus.find(({ type }: Json) => type === 'm.room.topic');
    assert.equal(topic.content.topic, 'shut', 'set before the opening, and part of the state');
    const ids = (await stateAt('state_ids', room.messages.reopened)).body;
    assert.deepEqual(ids.pdu_ids.sort(), body.pdus.map(idOf).sort());
    assert.deepEqual(ids.auth_chain_ids.sort(), body.auth_chain.map(idOf).sort());
    for (const action of ['state', 'state_ids']) {
      for (const hidden of [room.messages.closed, room.messages.shut]) {
        const refused = await stateAt(action, hidden);
        assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN']);
      }
    }
  });

  test('backfill: connected, with what is hidden redacted', async () => {
    const query = `?v=${encode(room.messages.reopened ?? '')}&limit=100`;
    const { status, body } = await ofRoom('backfill', query);
    assert.equal(status, 200);
    checkDisclosed(body.pdus);
    checkConnected(body.pdus, [room.messages.reopened ?? '']);
  });

  test('get_missing_events: the same', async () => {
    const uri = `${V1}/get_missing_events/${encode(room.roomId)}`;
    const asked = {
      latest_events: [room.messages.reopened],
      earliest_events: [room.messages.closed],
      limit: 20,
    };
    const { status, body } = await scene.peer.request(scene.server.name, 'POST', uri, asked);
    assert.equal(status, 200);
    assert.deepEqual(
      body.events.map(({ type }: Json) => type),
      [
        'm.room.topic',
        'm.room.history_visibility',
        'm.room.message',
        'm.room.topic',
        'm.room.history_visibility',
        'm.room.message',
        'm.room.topic',
        'm.room.history_visibility',
      ],
    );
    checkDisclosed(body.events);
  });

  /** Redacted events keep their ids. */
  function checkDisclosed(events: readonly Json[]): void {
    const byId = new Map(events.map((one) => [idOf(one), one]));
    for (const [names, key] of [
      [room.messages, 'body'],
      [room.topics, 'topic'],
    ] as const) {
      for (const [era, id] of Object.entries(names)) {
        const found = byId.get(id);
        if (found === undefined) continue;
        const isOpen = era === 'open' || era === 'reopened';
        assert.equal(found.content[key], isOpen ? era : undefined, `${key} of ${era}`);
      }
    }
  }

  function checkConnected(events: readonly Json[], start: readonly string[]): void {
    const given = new Map(events.map((one) => [idOf(one), one]));
    const reached = new Set<string>();
    const visit = (id: string) => {
      if (reached.has(id) || !given.has(id)) return;
      reached.add(id);
      given.get(id).prev_events.forEach(visit);
    };
    start.forEach(visit);
    assert.equal(reached.size, given.size);
    assert.ok(reached.has(room.create), 'as far as the beginning');
  }

  test('a room that is closed now shows nothing of when it was open', async () => {
    const { alice } = room;
    const closed = await makeEras(scene);
    await closed.alice.setState(
      closed.roomId,
      'm.room.history_visibility',
      '',
      visibility('shared'),
    );
    assert.notEqual(alice.userId, closed.alice.userId);
    for (const path of readsOf(closed.roomId, closed.messages.open ?? '')) {
      const { status, body } = await get(path);
      assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], path);
    }
  });

  test('rooms that are not federated, or deny the server, are read by nobody', async () => {
    const { alice } = room;
    const open = {
      type: 'm.room.history_visibility',
      content: visibility('world_readable'),
    };
    // Names are compared without the port.
    const acl = { type: 'm.room.server_acl', content: { allow: ['*'], deny: ['localhost'] } };
    const denied = await alice.createRoom({ initial_state: [open, acl] });
    const creation_content = { 'm.federate': false };
    const alone = await alice.createRoom({ initial_state: [open], creation_content });
    for (const roomId of [denied, alone]) {
      const id = await alice.send(roomId, 'not for others');
      for (const path of readsOf(roomId, id)) {
        const { status, body } = await get(path);
        assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], path);
      }
    }
  });

  test('rooms in which nobody of the server is are not found', async () => {
    for (const path of readsOf('!unknown:localhost', room.messages.open ?? '').slice(1)) {
      const { status, body } = await get(path);
      assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'], path);
    }
  });
});

/** Requests that read, of all kinds that are GET; the first names no room. */
function readsOf(roomId: string, eventId: string): string[] {
  const [room, id] = [encode(roomId), encode(eventId)];
  return [
    `/event/${id}`,
    `/event_auth/${room}/${id}`,
    `/state/${room}?event_id=${id}`,
    `/state_ids/${room}?event_id=${id}`,
    `/backfill/${room}?v=${id}&limit=10`,
  ];
}
