// What a hostile server answers, wherever an answer is read: nothing is accepted that the rules refuse, nothing is left behind,
// and when it answers rightly the next time all is well.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { useSiege } from './hostile-scene.ts';
import { type Handler, HostileServer } from './hostile-server.ts';
import { type Any, roomPath } from './scene.ts';

const siege = useSiege();

const json = (pdus: readonly Pdu[]) => pdus.map((pdu) => pdu.json);
const id = (n: number) => `$${String(n).padStart(43, 'A')}` as EventId;
const WORLD_READABLE = {
  type: 'm.room.history_visibility',
  stateKey: '',
  content: { history_visibility: 'world_readable' },
};

interface State {
  state: JsonObject[];
  auth_chain: JsonObject[];
}

/** What is wrong with a whole state, and its auth chain, of a room of version 11. */
const STATES: Readonly<Record<string, (room: ForeignRoom, right: State) => Any>> = {
  'no state': () => ({ state: [], auth_chain: [] }),
  'no lists': () => ({ state: {}, auth_chain: 'none' }),
  'no m.room.create': (_, { state, auth_chain: chain }) => ({
    state: state.filter(({ type }) => type !== 'm.room.create'),
    auth_chain: chain.filter(({ type }) => type !== 'm.room.create'),
  }),
  'two m.room.create': (room, { state, auth_chain: chain }) => {
    const other = createOf(room, siege().eve.user('other'));
    return { state: [...state, other.json], auth_chain: [...chain, other.json] };
  },
  'an m.room.create by somebody else alone': (room, { state, auth_chain: chain }) => {
    const other = createOf(room, siege().eve.user('other')).json;
    const without = (all: JsonObject[]) => all.filter(({ type }) => type !== 'm.room.create');
    return { state: [...without(state), other], auth_chain: [...without(chain), other] };
  },
  'two events of one key': (room, { state, auth_chain: chain }) => ({
    state: [...state, joinRules(room, 'invite').json],
    auth_chain: chain,
  }),
  'a forged event': withForgedTopic,
  'power that nobody gave': (room, { state, auth_chain: chain }) => {
    const sender = siege().eve.user('usurper');
    const usurped = room.build({
      type: 'm.room.power_levels',
      sender,
      stateKey: '',
      content: { users: { [sender]: 100 } },
    });
    const others = state.filter(({ type }) => type !== 'm.room.power_levels');
    return { state: [...others, usurped.json], auth_chain: chain };
  },
  'an event of another room': (_, { state, auth_chain: chain }) => {
    const other = siege().eve.createRoom('11');
    return { state: [...state, ...json(other.stateEvents())], auth_chain: chain };
  },
  'a message among the state': (room, { state, auth_chain: chain }) => {
    const said = room.build({ type: 'm.room.message', sender: siege().eve.user('eve') });
    return { state: [...state, said.json], auth_chain: chain };
  },
  'no auth chain': (_, { state }) => ({
    state: state.filter(({ type }) => type !== 'm.room.power_levels'),
    auth_chain: [],
  }),
};

/** In the name of a user whose server has not signed it. */
function withForgedTopic(room: ForeignRoom, { state, auth_chain: chain }: State): State {
  const forged = room.build({
    type: 'm.room.topic',
    sender: siege().ann.client.userId,
    stateKey: '',
    content: { topic: 'forged' },
  });
  return { state: [...state, forged.json], auth_chain: chain };
}

function createOf(room: ForeignRoom, sender: string): Pdu {
  return room.build({
    type: 'm.room.create',
    sender,
    stateKey: '',
    content: { room_version: room.version },
    prevEvents: [],
    authEvents: [],
  });
}

function joinRules(room: ForeignRoom, rule: string): Pdu {
  return room.build({
    type: 'm.room.join_rules',
    sender: siege().eve.user('eve'),
    stateKey: '',
    content: { join_rule: rule },
  });
}

function rightState(room: ForeignRoom): State {
  const state = room.stateEvents();
  return { state: json(state), auth_chain: json(room.authChain(state)) };
}

const joinPath = (roomId: string) =>
  `/v3/join/${encodeURIComponent(roomId)}?via=${encodeURIComponent(siege().eve.name)}`;

async function refused(roomId: string, method: string, path: string): Promise<void> {
  const { ann } = siege();
  const rooms = await siege().count('rooms');
  const { status, body } = await ann.client.call(method, path, {});
  assert.ok(status >= 400 && status !== 500, `${status} ${JSON.stringify(body)}`);
  assert.equal(await siege().count('rooms'), rooms);
  const joined = await ann.client.ok('GET', '/v3/joined_rooms');
  assert.ok(!joined.joined_rooms.includes(roomId));
}

/** Until `undo`. */
function answerSendJoin({ state, auth_chain: chain }: State): () => void {
  const { eve } = siege();
  return eve.on(/\/send_join\//, ({ body }) => ({
    origin: eve.name,
    event: body,
    members_omitted: false,
    state,
    auth_chain: chain,
  }));
}

test('send_join answers a forged event, which is left out', async (t) => {
  const { eve, ann } = siege();
  const room = eve.createRoom('11');
  t.after(answerSendJoin(withForgedTopic(room, rightState(room))));
  await ann.client.ok('POST', joinPath(room.roomId), {});
  assert.equal((await siege().state(room.roomId, 'm.room.topic')).status, 404);
});

for (const [name, wrong] of Object.entries(STATES)) {
  if (wrong !== withForgedTopic)
    test(`send_join answers ${name}`, async (t) => {
      const { eve, ann } = siege();
      const room = eve.createRoom('11');
      const undo = answerSendJoin(wrong(room, rightState(room)));
      t.after(undo);
      await refused(room.roomId, 'POST', joinPath(room.roomId));
      undo();
      await ann.client.ok('POST', joinPath(room.roomId), {});
      await ann.client.send(room.roomId, 'all is well');
    });

  test(`PUT /peek answers ${name}`, async () => {
    const { eve } = siege();
    const room = eve.createRoom('11', { initialState: [WORLD_READABLE] });
    const undo = eve.on(/\/peek\//, ({ method }) => {
      if (method === 'DELETE') return {};
      const right = rightState(room);
      return {
        ...wrong(room, right),
        latest_event: room.events.get(room.heads[0] as EventId)?.json,
        room_version: '11',
        renewal_interval: 3_600_000,
      } as JsonObject;
    });
    const path = `/v3/peek/${encodeURIComponent(room.roomId)}?via=${encodeURIComponent(eve.name)}`;
    const unstable = path.replace('/v3/', '/unstable/org.matrix.msc2753/');
    await refused(room.roomId, 'POST', unstable);
    undo();
  });
}

test('what is no event among the state is left out', async () => {
  const { eve, ann } = siege();
  const room = eve.createRoom('11');
  const undo = eve.on(/\/send_join\//, ({ body }) => {
    const { state, auth_chain: chain } = rightState(room);
    const strange = [
      ...state,
      { type: 'm.room.topic', state_key: '', sender: 'x', content: {} },
      7,
    ];
    return { origin: eve.name, event: body, state: strange, auth_chain: chain } as JsonObject;
  });
  await ann.client.ok('POST', joinPath(room.roomId), {});
  undo();
  assert.equal((await siege().state(room.roomId, 'm.room.topic')).status, 404);
  await ann.client.send(room.roomId, 'all is well');
});

const TEMPLATES: Readonly<Record<string, Any>> = {
  nothing: {},
  'no event': { room_version: '11', event: null },
  'an unknown room version': { room_version: 'org.evil' },
  'no member event': { type: 'm.room.message' },
  'another room': { room_id: '!other:example.org' },
  'another user': { state_key: '@else:example.org', sender: '@else:example.org' },
  'another membership': { content: { membership: 'ban' } },
  'no references': { prev_events: [], auth_events: [] },
  'references that are none': { prev_events: [{}, 7], auth_events: 'x' },
  'very many references': { prev_events: Array.from({ length: 5_000 }, (_, n) => id(n)) },
  'a depth below zero': { depth: -1 },
  'a depth that is no number': { depth: 'deep' },
};

for (const [name, wrong] of Object.entries(TEMPLATES)) {
  test(`make_join answers with ${name}`, async () => {
    const { eve, ann } = siege();
    const room = eve.createRoom('11');
    const { userId } = ann.client;
    const undo = eve.on(/\/make_join\//, () => {
      const event = { ...room.template(userId, { membership: 'join' }), ...wrong };
      if (name === 'nothing') return {};
      return { room_version: '11', event, ...('room_version' in wrong && wrong) };
    });
    await refused(room.roomId, 'POST', joinPath(room.roomId));
    assert.deepEqual(eve.askedFor(new RegExp(`send_join/${encodeURIComponent(room.roomId)}`)), []);
    undo();
    await ann.client.ok('POST', joinPath(room.roomId), {});
  });
}

/** What is asked for where an event refers to what is not here; `room` is one that both are in. */
type Gap = (parts: { room: ForeignRoom; userId: string }) => Readonly<Record<string, Handler>>;

const endless = (room: ForeignRoom, sender: string): Handler => {
  let n = 0;
  return () => {
    const events = Array.from({ length: 20 }, () => {
      n += 1;
      return room.build({ type: 'm.room.message', sender, prevEvents: [id(n)], depth: 50 }).json;
    });
    return { events, pdus: events, auth_chain: events } as JsonObject;
  };
};

const GAPS: Readonly<Record<string, Gap>> = {
  'prev_events without end': ({ room, userId }) => ({
    get_missing_events: endless(room, userId),
    state_ids: () => ({ pdu_ids: [], auth_chain_ids: [] }),
  }),
  'a chain without end': ({ room, userId }) => {
    let latest = id(1);
    return {
      get_missing_events: ({ body }) => {
        const [wanted] = (body.latest_events ?? []) as EventId[];
        const event = room.build({
          type: 'm.room.message',
          sender: userId,
          content: { body: `${wanted} ${latest}` },
          prevEvents: [latest],
          depth: 40,
        });
        latest = event.eventId;
        return { events: [event.json] as never };
      },
    };
  },
  'no lists': () => ({
    get_missing_events: () => ({ events: { length: 1e9 } }),
    state_ids: () => ({ pdu_ids: 'x', auth_chain_ids: 7 }),
    event: () => ({ pdus: null }),
  }),
  'ids that are none': () => ({
    get_missing_events: () => ({ events: [] }),
    state_ids: () => ({ pdu_ids: [7, {}, '$'], auth_chain_ids: [] }),
  }),
  'ids of events that nobody has': () => ({
    get_missing_events: () => ({ events: [] }),
    state_ids: () => ({
      pdu_ids: Array.from({ length: 50 }, (_, n) => id(n)),
      auth_chain_ids: [],
    }),
  }),
  'a hundred thousand ids': () => ({
    get_missing_events: () => ({ events: [] }),
    state_ids: () => ({
      pdu_ids: Array.from({ length: 100_000 }, (_, n) => id(n)),
      auth_chain_ids: [],
    }),
    state: () => ({ pdus: [], auth_chain: [] }),
  }),
  'another event than was asked for': ({ room, userId }) => {
    const other = room.build({
      type: 'm.room.message',
      sender: userId,
      content: { body: 'other' },
    });
    return {
      get_missing_events: () => ({ events: [other.json] as never }),
      state_ids: () => ({ pdu_ids: [id(7)], auth_chain_ids: [] }),
      event: () => ({ pdus: [other.json] as never }),
    };
  },
  'the state of another room': () => {
    const other = siege().eve.createRoom('11');
    const ids = other.stateEvents().map(({ eventId }) => eventId);
    return {
      get_missing_events: () => ({ events: [] }),
      state_ids: () => ({ pdu_ids: ids, auth_chain_ids: [] }),
      event: ({ parts: [eventId] }) => ({
        pdus: [other.events.get(eventId as EventId)?.json] as never,
      }),
    };
  },
  'a state in which the attacker has power': ({ room, userId }) => {
    const usurped = room.build({
      type: 'm.room.power_levels',
      sender: userId,
      stateKey: '',
      content: { users: { [userId]: 100 } },
    });
    const state = room.stateEvents().filter(({ type }) => type !== 'm.room.power_levels');
    return {
      get_missing_events: () => ({ events: [] }),
      state_ids: () => ({
        pdu_ids: [...state, usurped].map(({ eventId }) => eventId),
        auth_chain_ids: [],
      }),
      event: () => ({ pdus: [usurped.json] as never }),
    };
  },
};

for (const [name, gap] of Object.entries(GAPS)) {
  test(`asked for what is missing: ${name}`, async () => {
    const { eve, server, ann } = siege();
    const shared = await siege().room();
    const { theirs, userId, roomId } = shared;
    const undos = Object.entries(gap({ room: theirs, userId })).map(([endpoint, handler]) =>
      eve.on(new RegExp(`/_matrix/federation/v1/${endpoint}/([^/]+)$`), handler),
    );
    const hole = theirs.build({
      type: 'm.room.topic',
      sender: userId,
      stateKey: '',
      content: { topic: 'usurped' },
      prevEvents: [id(1)],
      depth: 60,
    });
    const { status } = await eve.send(server.name, [hole]);
    assert.equal(status, 200);
    await siege().goesOn(shared);
    for (const undo of undos) undo();
    const standings = await siege().standings(roomId);
    assert.notEqual(standings.get(hole.eventId), 'accepted');
    const power = await siege().state(roomId, 'm.room.power_levels');
    assert.equal(power.body.users[ann.client.userId], 100);
    assert.equal(power.body.users[userId], undefined);
    assert.equal((await siege().state(roomId, 'm.room.topic')).status, 404);
    assert.ok(standings.size < 300, `${standings.size} events are kept`);
  });
}

test('history of another room, and history that was not asked for', async () => {
  const { eve, ann } = siege();
  const room = eve.createRoom('11');
  const sender = eve.user('eve');
  for (let n = 0; n < 5; n += 1)
    room.add({ type: 'm.room.message', sender, content: { body: `true ${n}` } });
  await ann.client.ok('POST', joinPath(room.roomId), {});
  const other = eve.createRoom('11');
  const stray = room.build({
    type: 'm.room.message',
    sender,
    content: { body: 'stray' },
    prevEvents: [id(3)],
  });
  const forged = room.build({
    type: 'm.room.message',
    sender: ann.client.userId,
    content: { body: 'forged' },
  });
  const undo = eve.on(/\/backfill\//, () => ({
    pdus: json([...other.stateEvents(), stray, forged]) as never,
  }));
  let from = '';
  for (let page = 0; page < 5; page += 1) {
    const path = roomPath(room.roomId, `messages?dir=b&limit=10${from}`);
    const { chunk, end } = await ann.client.ok('GET', path);
    for (const { content } of chunk) assert.match(content.body ?? 'true', /^true/);
    // Nobody else has it: there is no more.
    if (end === undefined) break;
    from = `&from=${encodeURIComponent(end)}`;
  }
  undo();
  assert.equal((await siege().standings(room.roomId)).get(stray.eventId), undefined);
  assert.equal((await siege().standings(room.roomId)).get(forged.eventId), undefined);
});

test('keys that are not signed, of others, too large, or not of their time', async (t) => {
  const { server } = siege();
  const mallory = await HostileServer.start();
  t.after(() => mallory.close());
  const key = { [mallory.signingKey.keyId]: { key: mallory.signingKey.publicKey } };
  const valid = { old_verify_keys: {}, valid_until_ts: Date.now() + 86_400_000 };
  const wrong: Any[] = [
    { server_name: mallory.name, verify_keys: key, ...valid },
    { server_name: 'else.example', verify_keys: key, ...valid, signatures: {} },
    { verify_keys: [], valid_until_ts: 'tomorrow' },
    { __proto__: { verify_keys: key } },
  ];
  let answered = 0;
  mallory.on(/^\/_matrix\/key\/v2\/server/, () => {
    answered += 1;
    return wrong[answered % wrong.length];
  });
  for (let n = 0; n < wrong.length; n += 1) {
    const { status, body } = await mallory.send(server.name, []);
    assert.deepEqual([status, body.errcode], [401, 'M_UNAUTHORIZED']);
  }
  // Whoever asks in vain does not make it ask again and again.
  assert.equal(answered, 1);
});

test('devices of others, and lists of devices that grow without end', async () => {
  const { eve, server, ann } = siege();
  const room = await siege().room();
  const victim = ann.client.userId;
  const device = (userId: string, deviceId: string) => ({
    user_id: userId,
    device_id: deviceId,
    algorithms: [],
    keys: {},
    signatures: {},
  });
  eve.on(/\/user\/devices\//, () => ({
    user_id: room.userId,
    stream_id: 5,
    devices: Array.from({ length: 10_000 }, (_, n) => ({
      device_id: `D${n}`,
      keys: device(room.userId, `D${n}`),
    })) as never,
    master_key: { user_id: victim, usage: ['master'], keys: { 'ed25519:x': 'x' } },
  }));
  eve.on(/\/user\/keys\/query/, () => ({
    device_keys: { [victim]: { EVIL: device(victim, 'EVIL') }, [room.userId]: [] } as never,
    master_keys: { [victim]: { user_id: victim, usage: ['master'], keys: {} } },
  }));
  const query = { device_keys: { [room.userId]: [], [victim]: [] } };
  const found = await ann.client.ok('POST', '/v3/keys/query', query);
  assert.equal(JSON.stringify(found).includes('EVIL'), false);
  assert.deepEqual(found.master_keys ?? {}, {});
  for (let n = 0; n < 5; n += 1) {
    const edus = Array.from({ length: 100 }, (_, m) => ({
      edu_type: 'm.device_list_update',
      content: {
        user_id: room.userId,
        device_id: `E${n}-${m}`,
        stream_id: 1000 + n * 100 + m,
        prev_id: [],
        device_display_name: 'x'.repeat(1000),
      },
    }));
    assert.equal((await eve.send(server.name, [], edus)).status, 200);
  }
  await siege().goesOn(room);
  const again = await ann.client.ok('POST', '/v3/keys/query', query);
  assert.ok(Object.keys(again.device_keys[room.userId] ?? {}).length <= 2_000);
});

test('a list of public rooms that is none', async () => {
  const { eve, ann } = siege();
  const path = `/v3/publicRooms?server=${encodeURIComponent(eve.name)}`;
  const wrong: Any[] = [
    {},
    { chunk: 'rooms' },
    { chunk: [7, null, {}, { room_id: 'x' }] },
    { chunk: [{ room_id: '!a:b', num_joined_members: -1, world_readable: 'yes' }] },
    { chunk: [], next_batch: {} },
    { chunk: Array(20_000).fill({ room_id: '!a:b.example', num_joined_members: 1 }) },
  ];
  for (const answer of wrong) {
    const undo = eve.on(/\/publicRooms/, () => answer);
    const { status, body } = await ann.client.call('GET', path);
    assert.ok(status === 200 || status === 502 || status === 400, `${status}`);
    if (status === 200) {
      for (const room of body.chunk) assert.match(room.room_id, /^!.+:.+/);
    }
    undo();
  }
});

test('profiles and aliases that are none', async () => {
  const { eve, ann } = siege();
  const wrong: Any[] = [
    { displayname: 7, avatar_url: {} },
    { displayname: 'x'.repeat(1_000_000) },
    { room_id: 'none', servers: 7 },
    { room_id: '!a:b', servers: Array(100_000).fill('x') },
    { __proto__: 1 },
  ];
  for (const answer of wrong) {
    const undo = eve.on(/\/query\//, () => answer);
    for (const path of [
      `/v3/profile/${encodeURIComponent(eve.user('eve'))}`,
      `/v3/directory/room/${encodeURIComponent(`#a:${eve.name}`)}`,
    ]) {
      const { status } = await ann.client.call('GET', path);
      assert.ok(status !== 500, `${path} ${status} ${JSON.stringify(answer).slice(0, 80)}`);
    }
    undo();
  }
});

// Versions differ in what an id is made of, and so in what can be forged.
for (const version of ['1', '12'] as RoomVersionId[]) {
  test(`a state of room version ${version} whose auth events are in a circle, or of no room`, async () => {
    const { eve } = siege();
    const room = eve.createRoom(version);
    const undo = eve.on(/\/send_join\//, ({ body }) => {
      const right = rightState(room);
      const state = right.state.map((event) => {
        if (event.type !== 'm.room.join_rules') return event;
        const self = room.pduOf(event as never).eventId;
        const reference = version === '1' ? [self, { sha256: 'A'.repeat(43) }] : self;
        return room.altered(room.pduOf(event as never), { auth_events: [reference] as never }).json;
      });
      return { origin: eve.name, event: body, state, auth_chain: right.auth_chain } as JsonObject;
    });
    await refused(room.roomId as RoomId, 'POST', joinPath(room.roomId));
    undo();
  });
}

test('the room with which all began goes on', async () => {
  const room = await siege().room();
  await siege().goesOn(room);
  const { ann } = siege();
  const members = await ann.client.ok('GET', roomPath(room.roomId, 'joined_members'));
  assert.equal(Object.keys(members.joined).length, 2);
});
