// What may be read of a room apart from /sync: messages, events, state and members.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';
import type { Viewer } from '../api.ts';
import {
  ALICE,
  BOB,
  type Body,
  CAROL,
  type Harness,
  openHarness,
  viewer,
} from '../testing/harness.ts';

const alice = viewer(ALICE);
const bob = viewer(BOB);

const isErrcode = (errcode: string) => (error: unknown) =>
  error instanceof MatrixError && error.errcode === errcode;

async function open(backend: Backend, visibility: HistoryVisibility = 'shared') {
  const harness = await openHarness(backend);
  const room = await harness.rooms.createRoom(ALICE, { visibility });
  return { harness, room };
}

interface Page {
  readonly from?: string;
  readonly to?: string;
  readonly dir?: 'b' | 'f';
  readonly limit?: number;
  readonly filter?: JsonObject;
}

async function read(harness: Harness, roomId: RoomId, who: Viewer, page: Page = {}): Promise<Body> {
  await harness.settled();
  return harness.api.messages({ viewer: who, roomId, dir: 'b', limit: 100, filter: {}, ...page });
}

const bodiesOf = (page: Body): string[] =>
  page.chunk.map((event: Body) => event.content.body).filter(Boolean);
const typesOf = (page: Body): string[] => page.chunk.map((event: Body) => event.type);

forEachBackend('messages', (backend) => {
  test('history is paged backwards to the beginning, and forwards again', async () => {
    const { harness, room } = await open(backend);
    for (let n = 0; n < 12; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    const seen: string[] = [];
    let page = await read(harness, room, alice, { limit: 5 });
    for (;;) {
      seen.push(...bodiesOf(page));
      assert.equal(page.chunk[0]?.room_id ?? room, room);
      if (page.end === undefined) break;
      page = await read(harness, room, alice, { limit: 5, from: page.end });
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 12 }, (_, n) => `${11 - n}`),
    );
    assert.equal(typesOf(page).at(-1), 'm.room.create');
    const forwards = await read(harness, room, alice, { dir: 'f', limit: 7 });
    assert.deepEqual(typesOf(forwards)[0], 'm.room.create');
    assert.deepEqual(bodiesOf(forwards), ['0', '1']);
    const rest = await read(harness, room, alice, { dir: 'f', from: forwards.end });
    assert.deepEqual(
      bodiesOf(rest),
      Array.from({ length: 10 }, (_, n) => `${n + 2}`),
    );
    const none = await read(harness, room, alice, { dir: 'f', from: rest.end });
    assert.deepEqual([none.chunk, none.end], [[], undefined]);
  });

  test('tokens of /sync lead before and after what it showed', async () => {
    const { harness, room } = await open(backend);
    for (let n = 0; n < 15; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    const { rooms, next_batch: next } = await harness.sync(alice);
    const { prev_batch: from } = rooms.join[room].timeline;
    const before = await read(harness, room, alice, { from, limit: 1 });
    assert.deepEqual(bodiesOf(before), ['4']);
    await harness.rooms.message(room, ALICE, 'after');
    const after = await read(harness, room, alice, { from: next, dir: 'f' });
    assert.deepEqual(bodiesOf(after), ['after']);
    const between = await read(harness, room, alice, { from: next, to: from, limit: 100 });
    assert.deepEqual(bodiesOf(between).length, 10);
    await assert.rejects(
      read(harness, room, alice, { from: 'nonsense' }),
      isErrcode('M_INVALID_PARAM'),
    );
    await assert.rejects(
      read(harness, room, alice, { to: 'nonsense' }),
      isErrcode('M_INVALID_PARAM'),
    );
  });

  test('what was missing before the timeline is paged to', async () => {
    const { harness, room } = await open(backend);
    await harness.rooms.message(room, ALICE, 'before the gap');
    const { next_batch: since } = await harness.sync(alice);
    const line = harness.rooms.room(room);
    line.depth += 5;
    await harness.rooms.message(room, ALICE, 'after the gap');
    const { rooms } = await harness.sync(alice, { since });
    const { prev_batch: from } = rooms.join[room].timeline;
    const content = { body: 'in the gap', msgtype: 'm.text' };
    const lost = { sender: ALICE, type: 'm.room.message', content };
    await harness.rooms.fillIn(room, lost, line.depth - 1);
    const page = await read(harness, room, alice, { from, limit: 2 });
    assert.deepEqual(bodiesOf(page), ['in the gap', 'before the gap']);
    const forwards = await read(harness, room, alice, { from: since, dir: 'f' });
    assert.deepEqual(bodiesOf(forwards), ['in the gap', 'after the gap']);
  });

  test('what was said apart and came late is not taken for the end', async () => {
    const { harness, room } = await open(backend);
    const { next_batch: since } = await harness.sync(alice);
    const line = harness.rooms.room(room);
    line.depth = 100;
    await harness.rooms.message(room, ALICE, 'last');
    line.depth = 20;
    for (let n = 0; n < 40; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    assert.deepEqual(bodiesOf(await read(harness, room, alice, { limit: 1 })), ['last']);
    const { rooms } = await harness.sync(alice, { since });
    const { prev_batch: from } = rooms.join[room].timeline;
    assert.deepEqual(bodiesOf(await read(harness, room, alice, { from, limit: 1 })), ['last']);
  });

  test('filters of types, rooms and lazily loaded members', async () => {
    const { harness, room } = await open(backend);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.message(room, BOB, 'from bob');
    const filter = { types: ['m.room.message'], lazy_load_members: true };
    const page = await read(harness, room, alice, { filter });
    assert.deepEqual(typesOf(page), ['m.room.message']);
    assert.deepEqual(
      page.state.map((event: Body) => event.state_key),
      [BOB],
    );
    const elsewhere = await read(harness, room, alice, { filter: { not_rooms: [room] } });
    assert.deepEqual(elsewhere.chunk, []);
  });

  test('a page of which the filter drops all leads on', async () => {
    const { harness, room } = await open(backend);
    await harness.rooms.message(room, ALICE, 'wanted');
    for (let n = 0; n < 60; n += 1) {
      await harness.rooms.send(room, { sender: ALICE, type: 'm.other', content: {} });
    }
    const page = await read(harness, room, alice, {
      filter: { types: ['m.room.message'] },
      limit: 1,
    });
    assert.deepEqual(bodiesOf(page), ['wanted']);
  });

  test('who has left reads what she could then, and is refused when she forgets the room', async () => {
    const { harness, room } = await open(backend);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.message(room, ALICE, 'before');
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'after');
    assert.deepEqual(bodiesOf(await read(harness, room, bob)), ['before']);
    assert.deepEqual(bodiesOf(await read(harness, room, bob, { dir: 'f' })), ['before']);
    await harness.rooms.forget(room, BOB);
    await assert.rejects(read(harness, room, bob), isErrcode('M_FORBIDDEN'));
  });

  for (const [visibility, seen] of [
    ['world_readable', ['while joined', 'while invited', 'while outside']],
    ['shared', ['while joined', 'while invited', 'while outside']],
    ['invited', ['while joined', 'while invited']],
    ['joined', ['while joined']],
  ] as const) {
    test(`with visibility ${visibility} a new member sees ${seen.join(', ')}`, async () => {
      const { harness, room } = await open(backend, visibility);
      await harness.rooms.message(room, ALICE, 'while outside');
      await harness.rooms.member(room, BOB, 'invite');
      await harness.rooms.message(room, ALICE, 'while invited');
      await harness.rooms.member(room, BOB, 'join');
      await harness.rooms.message(room, ALICE, 'while joined');
      assert.deepEqual(bodiesOf(await read(harness, room, bob)), [...seen]);
    });
  }

  test('where branches meet, the state at the event decides', async () => {
    const { harness, room } = await open(backend, 'joined');
    const { current: withoutBob } = harness.rooms.room(room);
    await harness.rooms.member(room, BOB, 'join');
    const event = { sender: ALICE, type: 'm.room.message', stateBefore: withoutBob };
    await harness.rooms.send(room, { ...event, content: { body: 'of another branch' } });
    assert.deepEqual(bodiesOf(await read(harness, room, bob)), []);
    assert.deepEqual(bodiesOf(await read(harness, room, alice)), ['of another branch']);
  });

  test('outsiders read rooms that are world-readable now, and only of that time', async () => {
    const { harness, room } = await open(backend, 'joined');
    await harness.rooms.message(room, ALICE, 'private era');
    await harness.settled();
    await assert.rejects(read(harness, room, bob), isErrcode('M_FORBIDDEN'));
    await harness.rooms.setVisibility(room, 'world_readable');
    await harness.rooms.message(room, ALICE, 'public era');
    assert.deepEqual(bodiesOf(await read(harness, room, bob)), ['public era']);
    await harness.rooms.setVisibility(room, 'joined');
    await harness.rooms.message(room, ALICE, 'private again');
    await harness.settled();
    await assert.rejects(read(harness, room, bob), isErrcode('M_FORBIDDEN'));
    await assert.rejects(read(harness, '!nowhere:x' as RoomId, bob), isErrcode('M_FORBIDDEN'));
  });

  test('what was redacted is shown redacted, also where it was cached', async () => {
    const { harness, room } = await open(backend);
    const eventId = await harness.rooms.message(room, ALICE, 'regretted');
    assert.deepEqual(bodiesOf(await read(harness, room, alice)), ['regretted']);
    await harness.rooms.redact(room, eventId);
    const { chunk } = await read(harness, room, alice);
    const redacted = chunk.find((event: Body) => event.event_id === eventId);
    assert.deepEqual(redacted.content, {});
    assert.equal(redacted.unsigned.redacted_because.type, 'm.room.redaction');
  });
});

forEachBackend('events, state and members', (backend) => {
  test('an event is shown to whom it is visible, else it is not there', async () => {
    const { harness, room } = await open(backend, 'joined');
    const eventId = await harness.rooms.message(room, ALICE, 'mine');
    await harness.rooms.member(room, BOB, 'join');
    await harness.settled();
    const get = (who: Viewer, id: EventId, roomId = room) =>
      harness.api.event({ viewer: who, roomId, eventId: id }) as Promise<Body>;
    assert.equal((await get(alice, eventId)).content.body, 'mine');
    await assert.rejects(get(bob, eventId), isErrcode('M_NOT_FOUND'));
    await assert.rejects(get(viewer(CAROL), eventId), isErrcode('M_NOT_FOUND'));
    await assert.rejects(get(alice, '$unknown' as EventId), isErrcode('M_NOT_FOUND'));
    const other = await harness.rooms.createRoom(ALICE);
    await harness.settled();
    await assert.rejects(get(alice, eventId, other), isErrcode('M_NOT_FOUND'));
  });

  test('state that came as a whole is an event like others', async () => {
    const { harness, room } = await open(backend);
    const event = { sender: ALICE, type: 'm.room.topic', stateKey: '', content: { topic: 't' } };
    const eventId = await harness.rooms.replaceState(room, event, 'resync');
    await harness.settled();
    const shown = await harness.api.event({ viewer: alice, roomId: room, eventId });
    assert.equal(shown.event_id, eventId);
  });

  test('the sender sees her transaction, on the device that sent it', async () => {
    const { harness, room } = await open(backend);
    const transaction = { deviceId: alice.deviceId, id: 'txn' };
    const event = { sender: ALICE, type: 'm.room.message', content: {}, transaction };
    const eventId = await harness.rooms.send(room, event);
    await harness.settled();
    const get = (who: Viewer) =>
      harness.api.event({ viewer: who, roomId: room, eventId }) as Promise<Body>;
    assert.equal((await get(alice)).unsigned.transaction_id, 'txn');
    assert.equal((await get(viewer(ALICE, 'OTHER'))).unsigned.transaction_id, undefined);
  });

  test('state and members are those of now for members, and of their leaving for others', async () => {
    const { harness, room } = await open(backend);
    await harness.rooms.member(room, BOB, 'join');
    const topic = (text: string) =>
      harness.rooms.setState(room, ALICE, {
        type: 'm.room.topic',
        stateKey: '',
        content: { topic: text },
      });
    await topic('before');
    await harness.rooms.member(room, BOB, 'leave');
    await topic('after');
    await harness.rooms.member(room, CAROL, 'join');
    await harness.settled();
    const place = (who: Viewer) => ({ viewer: who, roomId: room });
    const key = { type: 'm.room.topic', stateKey: '' };
    const topicOf = async (who: Viewer): Promise<unknown> =>
      ((await harness.api.stateEvent({ ...place(who), ...key })) as Body).content.topic;
    assert.deepEqual([await topicOf(alice), await topicOf(bob)], ['after', 'before']);
    const membersOf = async (who: Viewer, more = {}): Promise<string[]> =>
      ((await harness.api.members({ ...place(who), ...more })) as Body).chunk
        .map((event: Body) => `${event.state_key} ${event.content.membership}`)
        .sort();
    assert.deepEqual(await membersOf(bob), [`${ALICE} join`, `${BOB} leave`]);
    assert.deepEqual(await membersOf(alice, { membership: 'leave' }), [`${BOB} leave`]);
    assert.deepEqual(await membersOf(alice, { notMembership: 'leave' }), [
      `${ALICE} join`,
      `${CAROL} join`,
    ]);
    const state = (await harness.api.state(place(bob))) as Body[];
    assert.ok(state.every((event) => event.state_key !== CAROL));
    const { joined } = (await harness.api.joinedMembers(place(alice))) as Body;
    assert.deepEqual(Object.keys(joined).sort(), [ALICE, CAROL]);
    await assert.rejects(harness.api.joinedMembers(place(bob)), isErrcode('M_FORBIDDEN'));
    const missing = { ...place(alice), type: 'm.room.name', stateKey: '' };
    await assert.rejects(harness.api.stateEvent(missing), isErrcode('M_NOT_FOUND'));
  });

  test('members at a token are those of then', async () => {
    const { harness, room } = await open(backend);
    const { next_batch: at } = await harness.sync(alice);
    await harness.rooms.member(room, BOB, 'join');
    await harness.settled();
    const { chunk } = (await harness.api.members({ viewer: alice, roomId: room, at })) as Body;
    assert.equal(chunk.length, 1);
    await assert.rejects(
      harness.api.members({ viewer: alice, roomId: room, at: 'x' }),
      isErrcode('M_INVALID_PARAM'),
    );
  });

  test('outsiders get the state of rooms that are world-readable, and of no others', async () => {
    const { harness, room } = await open(backend, 'world_readable');
    await harness.settled();
    const place = { viewer: bob, roomId: room };
    assert.equal((await harness.api.state(place)).length, 5);
    assert.equal(await harness.api.queryAccess(place), 'none');
    await harness.rooms.setVisibility(room, 'shared');
    await harness.settled();
    await assert.rejects(harness.api.state(place), isErrcode('M_FORBIDDEN'));
    await assert.rejects(harness.api.members(place), isErrcode('M_FORBIDDEN'));
  });

  test('a room that opens while it is read does not show how it was before', async () => {
    const { harness, room } = await open(backend, 'joined');
    const setTopic = (topic: string) =>
      harness.rooms.setState(room, ALICE, {
        type: 'm.room.topic',
        stateKey: '',
        content: { topic },
      });
    await setTopic('secret');
    await harness.settled();
    let isDone = false;
    harness.users.beforeIgnored = async () => {
      if (isDone) return;
      isDone = true;
      await setTopic('for all');
      await harness.rooms.setVisibility(room, 'world_readable');
    };
    const key = { type: 'm.room.topic', stateKey: '' };
    const reading = harness.api.stateEvent({ viewer: bob, roomId: room, ...key });
    await assert.rejects(reading, isErrcode('M_FORBIDDEN'));
    await harness.settled();
    const shown = await harness.api.stateEvent({ viewer: bob, roomId: room, ...key });
    assert.deepEqual(shown.content, { topic: 'for all' });
  });
});
