// What a peek is to /sync: one test per line of what a local peek must do, numbered, as far as it is decided here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import { until } from '../../test/until.ts';
import { sql } from '../database/sql.ts';
import type { RoomId } from '../protocol/identifiers.ts';
import type { Viewer } from './api.ts';
import {
  ALICE,
  BOB,
  type Body,
  bodies,
  type Harness,
  type HarnessOptions,
  openHarness,
  types,
  viewer,
} from './testing/harness.ts';

const LOOKER = viewer(BOB);

interface Looking {
  readonly harness: Harness;
  readonly room: RoomId;
  /** Of a sync that has sent the peek's state. */
  readonly since: string;
}

async function openRoom(backend: Backend, options: HarnessOptions = {}) {
  const harness = await openHarness(backend, options);
  const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
  return { harness, room };
}

async function looking(backend: Backend, options: HarnessOptions = {}): Promise<Looking> {
  const { harness, room } = await openRoom(backend, options);
  await harness.rooms.peek(room, LOOKER);
  const first = await harness.sync(LOOKER);
  assert.ok(first.rooms.peek[room]);
  return { harness, room, since: first.next_batch };
}

function wholeState(section: Body): string[] {
  return [...types(section, 'state'), ...types(section)];
}

function peeksOf(harness: Harness, { userId, deviceId }: Viewer): Promise<object[]> {
  return harness.database.all(
    sql`SELECT * FROM syncapi_peeks WHERE user_id = ${userId} AND device_id = ${deviceId}`,
  );
}

function interest(harness: Harness): Promise<{ room_id: string; wanted: number }[]> {
  return harness.database.all(sql`SELECT room_id, wanted FROM syncapi_peek_interest`);
}

forEachBackend('peeks that begin and go on', (backend) => {
  test('1. peeked, then synced since-less: the timeline starts at create', async () => {
    const { harness, room } = await openRoom(backend);
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.message(room, ALICE, 'something to peek');
    const { rooms } = await harness.sync(LOOKER);
    const section = rooms.peek[room];
    assert.equal(section.timeline.events[0].type, 'm.room.create');
    assert.deepEqual(section.state.events, []);
    assert.deepEqual(bodies(section), ['something to peek']);
    assert.equal(section.timeline.limited, false);
    assert.equal(typeof section.timeline.prev_batch, 'string');
    assert.equal(rooms.join, undefined);
  });

  test('2. a peek that starts wakes the long poll with full state', async () => {
    const { harness, room } = await openRoom(backend);
    for (let line = 0; line < 15; line += 1) await harness.rooms.message(room, ALICE, `${line}`);
    const { next_batch: since } = await harness.sync(LOOKER);
    const waiting = harness.poll(LOOKER, { since });
    await harness.rooms.peek(room, LOOKER);
    const section = (await waiting).rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    assert.ok(types(section, 'state').includes('m.room.create'));
    assert.ok(types(section, 'state').includes('m.room.member'));
    assert.deepEqual(bodies(section).at(-1), '14');
  });

  test('3., 17. a peek of a room that is not open never begins, whoever allowed it', async () => {
    const harness = await openHarness(backend);
    const closed = await harness.rooms.createRoom(ALICE, { visibility: 'shared' });
    const encrypted = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    await harness.rooms.setState(encrypted, ALICE, {
      type: 'm.room.encryption',
      stateKey: '',
      content: {},
    });
    await harness.rooms.peek(closed, LOOKER);
    await harness.rooms.peek(encrypted, LOOKER);
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
    assert.deepEqual(await peeksOf(harness, LOOKER), []);
  });

  test('5. of two devices, the one that does not peek never sees the room', async () => {
    const { harness, room, since } = await looking(backend);
    const other = viewer(BOB, 'OTHER');
    const first = await harness.sync(other);
    assert.equal(first.rooms, undefined);
    const { answer } = await harness.waitingPoll(other, { since: first.next_batch });
    await harness.rooms.message(room, ALICE, 'for one');
    assert.deepEqual(bodies((await harness.sync(LOOKER, { since })).rooms.peek[room]), ['for one']);
    harness.clock.advance(30_000);
    assert.equal((await answer).rooms, undefined);
  });

  test('6. a message wakes the device; unchanged rooms stay absent', async () => {
    const { harness, room, since } = await looking(backend);
    const quiet = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    await harness.rooms.peek(quiet, LOOKER);
    const both = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(both.rooms.peek), [quiet]);
    const waiting = harness.poll(LOOKER, { since: both.next_batch });
    await harness.rooms.message(room, ALICE, 'live');
    const woken = await waiting;
    assert.deepEqual(Object.keys(woken.rooms.peek), [room]);
    assert.deepEqual(bodies(woken.rooms.peek[room]), ['live']);
  });

  test('7. renewed, a peek lives longer and sends nothing again', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(1_800_000);
    await harness.rooms.peek(room, LOOKER);
    assert.equal((await harness.sync(LOOKER, { since })).rooms, undefined);
    const { active, expiryTs } = await harness.api.queryPeek({
      ...LOOKER,
      roomId: room,
      via: 'sync',
    });
    assert.deepEqual([active, expiryTs], [true, harness.clock.now() + 3_600_000]);
    harness.clock.advance(2_700_000);
    await harness.rooms.message(room, ALICE, 'still there');
    const later = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(later.rooms.peek[room]), ['still there']);
  });
});

forEachBackend('peeks that end', (backend) => {
  test('8. expired, the room stands in leave with the final events, until the device has synced past it', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.message(room, ALICE, 'one more thing');
    await harness.settled();
    harness.clock.advance(3_600_001);
    await harness.rooms.message(room, ALICE, 'too late');
    const ended = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(ended.rooms.leave[room]), ['one more thing']);
    assert.equal(ended.rooms.peek, undefined);
    const same = await harness.sync(LOOKER, { since });
    assert.deepEqual(same.rooms, ended.rooms);
    const later = await harness.sync(LOOKER, { since: ended.next_batch });
    assert.equal(later.rooms, undefined);
    assert.equal(
      (await harness.api.queryPeek({ ...LOOKER, roomId: room, via: 'sync' })).active,
      false,
    );
  });

  test('8a. expiry wakes a device that waits', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(3_560_000);
    const { answer } = await harness.waitingPoll(LOOKER, { since });
    harness.clock.advance(30_000);
    const empty = await answer;
    assert.equal(empty.rooms, undefined);
    const waiting = harness.poll(LOOKER, { since: empty.next_batch });
    await until(async () => harness.clock.scheduled.includes(10_000));
    harness.clock.advance(10_000);
    assert.deepEqual((await waiting).rooms.leave, { [room]: {} });
  });

  test('8b. expiry holds across a restart', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.start();
    await harness.rooms.message(room, ALICE, 'after the restart');
    const next = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(next.rooms.peek[room]), ['after the restart']);
    assert.deepEqual(types(next.rooms.peek[room], 'state'), []);
    harness.clock.advance(3_600_000);
    await harness.start();
    const ended = await harness.sync(LOOKER, { since: next.next_batch });
    assert.deepEqual(ended.rooms.leave, { [room]: {} });
  });

  test('9. unpeeked, leave has the events since the last sync', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.message(room, ALICE, 'just one more thing');
    await harness.rooms.unpeek(room, LOOKER);
    await harness.rooms.message(room, ALICE, 'not for lookers');
    const ended = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(ended.rooms.leave[room]), ['just one more thing']);
    const again = await harness.sync(LOOKER, { since });
    assert.deepEqual(again.rooms, ended.rooms);
    assert.equal((await harness.sync(LOOKER, { since: ended.next_batch })).rooms, undefined);
    await until(async () => (await peeksOf(harness, LOOKER)).length === 0);
  });

  test('9a. unpeeked without events, the entry is empty', async () => {
    const { harness, room, since } = await looking(backend);
    const waiting = harness.poll(LOOKER, { since });
    await harness.rooms.unpeek(room, LOOKER);
    assert.deepEqual((await waiting).rooms, { leave: { [room]: {} } });
  });

  test('9b. peeked and unpeeked between two syncs, nothing of the room is shown', async () => {
    const { harness, room } = await openRoom(backend);
    const { next_batch: since } = await harness.sync(LOOKER);
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.message(room, ALICE, 'unseen');
    await harness.rooms.unpeek(room, LOOKER);
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, { leave: { [room]: {} } });
  });

  test('10. peek, unpeek, peek: full state is sent again', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.unpeek(room, LOOKER);
    await harness.rooms.peek(room, LOOKER);
    const { rooms, next_batch: next } = await harness.sync(LOOKER, { since });
    assert.ok(wholeState(rooms.peek[room]).includes('m.room.create'));
    assert.equal(rooms.leave, undefined);
    assert.equal((await harness.sync(LOOKER, { since: next })).rooms, undefined);
  });

  test('10a. peek, unpeek, peek, unpeek: the events of the first look are not lost', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.message(room, ALICE, 'first look');
    await harness.rooms.unpeek(room, LOOKER);
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.unpeek(room, LOOKER);
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(rooms.leave[room]), ['first look']);
    assert.equal(rooms.peek, undefined);
  });

  test('10b. a peek that expired and is posted again is a new one', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(3_600_000);
    await harness.rooms.peek(room, LOOKER);
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.ok(wholeState(rooms.peek[room]).includes('m.room.create'));
    assert.equal(rooms.leave, undefined);
  });
});

forEachBackend('peeks and joining', (backend) => {
  test('11. a peek that comes after the join has no effect', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.peek(room, LOOKER);
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['join']);
    assert.equal(
      (await harness.api.queryPeek({ ...LOOKER, roomId: room, via: 'sync' })).active,
      false,
    );
  });

  test('13. joined, the room moves to join, without state where it was sent and with it elsewhere', async () => {
    const { harness, room, since } = await looking(backend);
    const other = viewer(BOB, 'OTHER');
    const { next_batch: otherSince } = await harness.sync(other);
    await harness.rooms.message(room, ALICE, 'before the join');
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['join']);
    assert.deepEqual(types(rooms.join[room]), ['m.room.message', 'm.room.member']);
    assert.deepEqual(types(rooms.join[room], 'state'), []);
    assert.equal(rooms.join[room].summary['m.joined_member_count'], 2);
    const section = (await harness.sync(other, { since: otherSince })).rooms.join[room];
    assert.ok(wholeState(section).includes('m.room.create'));
  });

  test('13a. peeked and joined before any sync, the state is sent', async () => {
    const { harness, room } = await openRoom(backend);
    const { next_batch: since } = await harness.sync(LOOKER);
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.ok(wholeState(rooms.join[room]).includes('m.room.create'));
    assert.deepEqual(Object.keys(rooms), ['join']);
  });

  test('13b. a device that never came back with the token it was given gets the state on joining', async () => {
    const { harness, room } = await openRoom(backend);
    const { next_batch: since } = await harness.sync(LOOKER);
    await harness.rooms.peek(room, LOOKER);
    await harness.sync(LOOKER, { since });
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.ok(wholeState(rooms.join[room]).includes('m.room.create'));
  });

  test('13c. state that changed unseen between the last sync and the join is sent', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.setState(room, ALICE, {
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'new' },
    });
    for (let line = 0; line < 20; line += 1) await harness.rooms.message(room, ALICE, `${line}`);
    await harness.rooms.member(room, BOB, 'join');
    const section = (await harness.sync(LOOKER, { since })).rooms.join[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(types(section, 'state'), ['m.room.topic']);
  });

  test('14. joined and left, the room does not go back to being peeked', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'join');
    const joined = await harness.sync(LOOKER, { since });
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'after');
    const left = await harness.sync(LOOKER, { since: joined.next_batch });
    assert.deepEqual(Object.keys(left.rooms), ['leave']);
    assert.deepEqual(types(left.rooms.leave[room]), ['m.room.member']);
    assert.equal((await harness.sync(LOOKER, { since: left.next_batch })).rooms, undefined);
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
  });

  test('14a. joined and left between two syncs, the room is left, from where the peek was', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'after');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['leave']);
    assert.deepEqual(types(rooms.leave[room]), ['m.room.member', 'm.room.member']);
    assert.deepEqual(types(rooms.leave[room], 'state'), []);
  });

  test('14b. one who has left may look again', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, BOB, 'leave');
    const left = await harness.sync(LOOKER, { since });
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.message(room, ALICE, 'seen again');
    const { rooms } = await harness.sync(LOOKER, { since: left.next_batch });
    assert.deepEqual(Object.keys(rooms), ['peek']);
    assert.ok(wholeState(rooms.peek[room]).includes('m.room.create'));
    assert.deepEqual(bodies(rooms.peek[room]), ['seen again']);
  });
});

forEachBackend('what a peek shows', (backend) => {
  test('15. visibility tightened: that event arrives, the peek ends, later events never come', async () => {
    const { harness, room, since } = await looking(backend);
    const waiting = harness.poll(LOOKER, { since });
    const tightening = await harness.rooms.setVisibility(room, 'joined');
    await harness.rooms.message(room, ALICE, 'secret');
    const ended = await waiting;
    assert.deepEqual(
      ended.rooms.leave[room].timeline.events.map((event: Body) => event.event_id),
      [tightening],
    );
    const again = await harness.sync(LOOKER, { since });
    assert.deepEqual(again.rooms, ended.rooms);
    assert.equal((await harness.sync(LOOKER, { since: ended.next_batch })).rooms, undefined);
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
  });

  test('15a. the start of encryption ends a peek likewise', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.setState(room, ALICE, {
      type: 'm.room.encryption',
      stateKey: '',
      content: {},
    });
    await harness.rooms.message(room, ALICE, 'after');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(types(rooms.leave[room]), ['m.room.encryption']);
  });

  test('15b. visibility lost without an event in the timeline ends it too', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.replaceState(room, {
      sender: ALICE,
      type: 'm.room.history_visibility',
      stateKey: '',
      content: { history_visibility: 'invited' },
    });
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['leave']);
  });

  test('16. of a mixed history only what was world-readable shows, and current state', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'joined', name: 'old name' });
    await harness.rooms.message(room, ALICE, 'private era');
    await harness.rooms.setVisibility(room, 'world_readable');
    await harness.rooms.setState(room, ALICE, {
      type: 'm.room.name',
      stateKey: '',
      content: { name: 'new name' },
    });
    await harness.rooms.message(room, ALICE, 'public era');
    await harness.rooms.peek(room, LOOKER);
    const whole = (await harness.sync(LOOKER)).rooms.peek[room];
    assert.equal(whole.timeline.events[0].type, 'm.room.create');
    assert.deepEqual(bodies(whole), ['public era']);
    const tight = { room: { timeline: { limit: 2 } } };
    const short = (await harness.sync(LOOKER, { filter: tight })).rooms.peek[room];
    assert.deepEqual(types(short), ['m.room.name', 'm.room.message']);
    assert.ok(!JSON.stringify([whole, short]).includes('old name'));
    const after = { filter: tight, stateSection: 'state_after' } as const;
    const { state, state_after } = (await harness.sync(LOOKER, after)).rooms.peek[room];
    assert.equal(state, undefined);
    const names = state_after.events.filter((event: Body) => event.type === 'm.room.name');
    assert.deepEqual(
      names.map((event: Body) => event.content.name),
      ['new name'],
    );
  });

  test('18. typing, receipts, presence and counts are not for lookers', async () => {
    const { harness, room, since } = await looking(backend);
    const eventId = await harness.rooms.message(room, ALICE, 'hello bob');
    harness.eventLog.publishEphemeral('edu.typing', room, {
      userId: ALICE,
      typing: true,
      timeoutMs: 30_000,
    });
    harness.eventLog.publishEphemeral('edu.presence', ALICE, {
      presence: 'online',
      lastActiveTs: harness.clock.now(),
    });
    await harness.receipt(room, ALICE, { eventId });
    const body = await harness.sync(LOOKER, { since });
    const section = body.rooms.peek[room];
    assert.deepEqual(Object.keys(section).sort(), ['state', 'timeline']);
    assert.equal(body.presence, undefined);
    // Nor do they end a wait.
    const { answer } = await harness.waitingPoll(LOOKER, { since: body.next_batch });
    harness.eventLog.publishEphemeral('edu.typing', room, {
      userId: ALICE,
      typing: false,
      timeoutMs: 0,
    });
    harness.clock.advance(30_000);
    assert.equal((await answer).rooms, undefined);
  });

  test('19. after a gap, state has what changed in it', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.setState(room, ALICE, {
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'changed in the gap' },
    });
    for (let line = 0; line < 30; line += 1) await harness.rooms.message(room, ALICE, `${line}`);
    const section = (await harness.sync(LOOKER, { since })).rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(types(section, 'state'), ['m.room.topic']);
    assert.equal(section.timeline.events.length, 10);
  });

  test('20. full_state and lazy_load_members treat peeks as joined rooms', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, '@silent:localhost' as typeof ALICE, 'join');
    for (let line = 0; line < 12; line += 1) await harness.rooms.message(room, ALICE, `${line}`);
    const whole = (await harness.sync(LOOKER, { since, fullState: true })).rooms.peek[room];
    assert.ok(types(whole, 'state').includes('m.room.create'));
    const filter = { room: { state: { lazy_load_members: true } } };
    const lazy = (await harness.sync(LOOKER, { filter })).rooms.peek[room];
    const members = lazy.state.events
      .filter((event: Body) => event.type === 'm.room.member')
      .map((event: Body) => event.state_key);
    assert.ok(members.includes(ALICE));
    assert.ok(types(lazy, 'state').includes('m.room.create'));
  });

  test('21. with their device, peeks vanish, and with the last one the interest', async () => {
    const { harness, room } = await looking(backend);
    assert.deepEqual(await interest(harness), [{ room_id: room, wanted: 1 }]);
    await harness.users.deleteDevice(BOB, LOOKER.deviceId);
    await harness.settled();
    assert.deepEqual(await peeksOf(harness, LOOKER), []);
    assert.deepEqual(await interest(harness), [{ room_id: room, wanted: 0 }]);
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
  });

  test('21a. with their user, all her peeks vanish', async () => {
    const { harness, room } = await looking(backend);
    const other = viewer(BOB, 'OTHER');
    await harness.rooms.peek(room, other);
    // The two topics have no common order: what is not consumed yet could come after.
    await harness.settled();
    await harness.users.deactivate(BOB);
    await harness.settled();
    assert.deepEqual(await peeksOf(harness, LOOKER), []);
    assert.deepEqual(await peeksOf(harness, other), []);
    assert.deepEqual(await interest(harness), [{ room_id: room, wanted: 0 }]);
  });

  test('a ban ends the looking of the banned', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'ban');
    await harness.rooms.message(room, ALICE, 'after');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['leave']);
    assert.deepEqual(types(rooms.leave[room]), ['m.room.member']);
  });

  test('one may look into a room that one is invited to', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.member(room, BOB, 'invite');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms).sort(), ['invite', 'peek']);
    assert.deepEqual(types(rooms.peek[room]), ['m.room.member']);
  });

  test('peeks by way of /events never show in /sync', async () => {
    const { harness, room } = await openRoom(backend);
    const { next_batch: since } = await harness.sync(LOOKER);
    await harness.rooms.peek(room, LOOKER, { via: 'events', lifetimeMs: 60_000 });
    await harness.rooms.message(room, ALICE, 'unseen');
    assert.equal((await harness.sync(LOOKER, { since })).rooms, undefined);
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
    harness.clock.advance(60_000);
    assert.equal((await harness.sync(LOOKER, { since })).rooms, undefined);
    const key = { ...LOOKER, roomId: room };
    assert.equal((await harness.api.queryPeek({ ...key, via: 'sync' })).active, false);
  });
});
