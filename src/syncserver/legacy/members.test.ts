// initialSync and /events for those who are in rooms: the interface from before /sync.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
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

const ME = viewer(ALICE);
const REFUSED = { name: 'MatrixError', errcode: 'M_FORBIDDEN' };

const bodiesOf = (events: Body[]): string[] => events.map((event) => event.content.body);
const typesOf = (events: Body[]): string[] => events.map((event) => event.type);

async function roomInitialSync(
  harness: Harness,
  roomId: RoomId,
  settings: { readonly who?: Viewer; readonly limit?: number } = {},
): Promise<Body> {
  await harness.settled();
  const { who = ME, limit = 20 } = settings;
  return harness.api.roomInitialSync({ viewer: who, roomId, limit });
}

async function initialSync(
  harness: Harness,
  settings: { readonly who?: Viewer; readonly limit?: number; readonly archived?: boolean } = {},
): Promise<Body> {
  await harness.settled();
  const { who = ME, limit = 20, archived = false } = settings;
  return harness.api.initialSync({ viewer: who, limit, archived });
}

interface Poll {
  readonly who?: Viewer;
  readonly roomId?: RoomId;
  readonly from?: string;
  readonly timeoutMs?: number;
  readonly limit?: number;
}

async function events(harness: Harness, { who = ME, ...poll }: Poll): Promise<Body> {
  await harness.settled();
  return harness.api.events({ viewer: who, timeoutMs: 0, ...poll });
}

function goesOnline(harness: Harness, userId: UserId): void {
  const online = { presence: 'online' as const, lastActiveTs: harness.clock.now() };
  harness.eventLog.publishEphemeral('edu.presence', userId, online);
}

function types(harness: Harness, room: RoomId, userId: UserId, typing = true): void {
  harness.eventLog.publishEphemeral('edu.typing', room, { userId, typing, timeoutMs: 30_000 });
}

async function roomOfTwo(harness: Harness): Promise<{ room: RoomId; last: EventId }> {
  const room = await harness.rooms.createRoom(BOB);
  await harness.rooms.member(room, ALICE, 'join');
  return { room, last: await harness.rooms.message(room, BOB, 'hello') };
}

forEachBackend('initialSync of a room, for members', (backend) => {
  test('messages, state, receipts, presence and account data', async () => {
    const harness = await openHarness(backend);
    const { room, last } = await roomOfTwo(harness);
    goesOnline(harness, BOB);
    await harness.receipt(room, BOB, { eventId: last });
    await harness.receipt(room, BOB, { eventId: last, type: 'm.read.private' });
    await harness.users.setAccountData(
      { userId: ALICE, roomId: room, type: 'm.tag' },
      { tags: {} },
    );
    await harness.users.setAccountData({ userId: ALICE, type: 'org.global' }, {});
    const answer = await roomInitialSync(harness, room, { limit: 2 });
    assert.deepEqual([answer.room_id, answer.membership], [room, 'join']);
    assert.deepEqual(typesOf(answer.messages.chunk), ['m.room.member', 'm.room.message']);
    const members = answer.state.filter((event: Body) => event.type === 'm.room.member');
    assert.deepEqual(members.map((event: Body) => event.user_id).sort(), [ALICE, BOB]);
    const presence = new Map(answer.presence.map((event: Body) => [event.sender, event.content]));
    assert.equal((presence.get(BOB) as Body).presence, 'online');
    assert.equal((presence.get(BOB) as Body).user_id, BOB);
    assert.equal((presence.get(ALICE) as Body).presence, 'offline');
    assert.deepEqual(answer.receipts, [
      {
        type: 'm.receipt',
        room_id: room,
        content: { [last]: { 'm.read': { [BOB]: { ts: harness.clock.now() } } } },
      },
    ]);
    assert.deepEqual(answer.account_data, [{ type: 'm.tag', content: { tags: {} } }]);
  });

  test('limit 0 gives no messages, and both tokens', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    const { messages } = await roomInitialSync(harness, room, { limit: 0 });
    assert.deepEqual(messages.chunk, []);
    const place = { viewer: ME, roomId: room, limit: 1, filter: {} };
    const before: Body = await harness.api.messages({ ...place, from: messages.start, dir: 'b' });
    assert.deepEqual(bodiesOf(before.chunk), ['hello']);
    assert.deepEqual((await events(harness, { roomId: room, from: messages.end })).chunk, []);
  });

  test('who has left gets the room as she left it, and nothing of others', async () => {
    const harness = await openHarness(backend);
    const { room, last } = await roomOfTwo(harness);
    const key = { type: 'org.example.state', stateKey: '' };
    await harness.rooms.setState(room, BOB, { ...key, content: { body: 'before' } });
    await harness.receipt(room, BOB, { eventId: last });
    await harness.rooms.member(room, ALICE, 'leave');
    await harness.rooms.setState(room, BOB, { ...key, content: { body: 'after' } });
    await harness.rooms.message(room, BOB, 'afterwards');
    const answer = await roomInitialSync(harness, room, { limit: 2 });
    assert.equal(answer.membership, 'leave');
    assert.equal(answer.messages.chunk[0].content.body, 'before');
    assert.equal(answer.messages.chunk[1].content.membership, 'leave');
    const [state] = answer.state.filter((event: Body) => event.type === key.type);
    assert.equal(state.content.body, 'before');
    assert.deepEqual([answer.presence, answer.receipts], [[], []]);
  });

  test('outsiders, the merely invited and those who forgot are refused', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    const carol = { who: viewer(CAROL) };
    await assert.rejects(roomInitialSync(harness, room, carol), REFUSED);
    await harness.rooms.member(room, CAROL, 'invite');
    await assert.rejects(roomInitialSync(harness, room, carol), REFUSED);
    await harness.rooms.member(room, ALICE, 'leave');
    await harness.rooms.forget(room, ALICE);
    await assert.rejects(roomInitialSync(harness, room), REFUSED);
    await assert.rejects(roomInitialSync(harness, '!none:localhost' as RoomId), REFUSED);
  });
});

forEachBackend('initialSync of all rooms', (backend) => {
  test('joined and invited rooms, presence, receipts and account data', async () => {
    const harness = await openHarness(backend);
    const { room, last } = await roomOfTwo(harness);
    const invited = await harness.rooms.createRoom(CAROL, { name: 'party' });
    await harness.rooms.member(invited, ALICE, 'invite');
    goesOnline(harness, BOB);
    goesOnline(harness, CAROL);
    await harness.receipt(room, BOB, { eventId: last });
    await harness.users.setAccountData({ userId: ALICE, type: 'org.global' }, { a: 1 });
    await harness.users.setAccountData({ userId: ALICE, type: 'm.push_rules' }, { global: {} });
    await harness.users.setAccountData({ userId: ALICE, roomId: room, type: 'm.tag' }, { b: 2 });
    const answer = await initialSync(harness);
    const rooms = new Map<string, Body>(answer.rooms.map((each: Body) => [each.room_id, each]));
    assert.equal(rooms.size, 2);
    const joined = rooms.get(room);
    assert.equal(joined.membership, 'join');
    assert.equal(bodiesOf(joined.messages.chunk).at(-1), 'hello');
    assert.ok(typesOf(joined.state).includes('m.room.power_levels'));
    assert.deepEqual(joined.account_data, [{ type: 'm.tag', content: { b: 2 } }]);
    const invite = rooms.get(invited);
    assert.deepEqual([invite.membership, invite.inviter], ['invite', CAROL]);
    assert.equal(invite.invite.state_key, ALICE);
    assert.equal(invite.invite.room_id, invited);
    const stripped = invite.invite.unsigned.invite_room_state;
    assert.ok(stripped.some((event: Body) => event.content.name === 'party'));
    assert.equal('state' in invite || 'messages' in invite, false);
    assert.deepEqual(answer.presence.map((event: Body) => event.sender).sort(), [ALICE, BOB]);
    assert.equal(answer.receipts[0].room_id, room);
    assert.deepEqual(answer.account_data, [{ type: 'org.global', content: { a: 1 } }]);
  });

  test('a new user finds her own presence', async () => {
    const harness = await openHarness(backend);
    const { presence, rooms } = await initialSync(harness);
    assert.deepEqual(rooms, []);
    assert.deepEqual(presence, [
      {
        type: 'm.presence',
        sender: ALICE,
        content: { presence: 'offline', last_active_ago: 0, user_id: ALICE },
      },
    ]);
  });

  test('rooms that one has left only when asked for, never forgotten ones or declined invites', async () => {
    const harness = await openHarness(backend);
    const left = await roomOfTwo(harness);
    await harness.rooms.member(left.room, ALICE, 'leave');
    await harness.rooms.message(left.room, BOB, 'afterwards');
    const forgotten = await roomOfTwo(harness);
    await harness.rooms.member(forgotten.room, ALICE, 'leave');
    await harness.rooms.forget(forgotten.room, ALICE);
    const declined = await harness.rooms.createRoom(BOB);
    await harness.rooms.member(declined, ALICE, 'invite');
    await harness.rooms.member(declined, ALICE, 'leave');
    assert.deepEqual((await initialSync(harness)).rooms, []);
    const { rooms } = await initialSync(harness, { archived: true, limit: 2 });
    assert.deepEqual(
      rooms.map((each: Body) => each.room_id),
      [left.room],
    );
    assert.equal(rooms[0].membership, 'leave');
    assert.equal(rooms[0].messages.chunk[0].content.body, 'hello');
  });

  test('no invites of ignored users', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(BOB);
    await harness.rooms.member(room, ALICE, 'invite');
    await harness.users.ignore(ALICE, BOB);
    assert.deepEqual((await initialSync(harness)).rooms, []);
  });

  test('an invite to a room of another server shows what came with it', async () => {
    const harness = await openHarness(backend);
    const roomId = '!far:away.test' as RoomId;
    const own = {
      type: 'm.room.member',
      state_key: ALICE,
      sender: '@dan:away.test' as UserId,
      content: { membership: 'invite' },
    };
    const json = { ...own, room_id: roomId, depth: 1, origin_server_ts: 1 };
    await harness.rooms.append(roomId, {
      kind: 'NewInvite',
      userId: ALICE,
      membership: 'invite',
      event: { eventId: '$invite' as EventId, roomVersion: '11', json: json as Body },
      strippedState: [own],
    });
    const { rooms } = await initialSync(harness);
    assert.deepEqual([rooms[0].room_id, rooms[0].inviter], [roomId, '@dan:away.test']);
    assert.deepEqual([rooms[0].invite.event_id, rooms[0].invite.content], ['$invite', own.content]);
  });
});

forEachBackend('events of members', (backend) => {
  test('of all rooms in the order in which they happened, going on after initialSync', async () => {
    const harness = await openHarness(backend);
    const one = await roomOfTwo(harness);
    const two = await roomOfTwo(harness);
    const elsewhere = await harness.rooms.createRoom(BOB);
    const { end } = await initialSync(harness);
    for (const room of [one.room, two.room, elsewhere, one.room]) {
      await harness.rooms.message(room, BOB, room);
    }
    const expected = [one.room, two.room, one.room];
    const answer = await events(harness, { from: end });
    assert.deepEqual(bodiesOf(answer.chunk), expected);
    assert.deepEqual(
      answer.chunk.map((event: Body) => event.room_id),
      expected,
    );
    assert.deepEqual(bodiesOf((await events(harness, {})).chunk), expected);
    assert.deepEqual((await events(harness, { from: answer.end })).chunk, []);
  });

  test('catches up in pages across rooms, in order and whole, also from the database', async () => {
    const harness = await openHarness(backend);
    const one = await roomOfTwo(harness);
    const two = await roomOfTwo(harness);
    const { end: start } = await initialSync(harness);
    const all: string[] = [];
    for (let n = 0; n < 80; n += 1) {
      all.push(await harness.rooms.message(n % 3 === 0 ? one.room : two.room, BOB, `${n}`));
    }
    for (const restarted of [false, true]) {
      if (restarted) await harness.start();
      const found: string[] = [];
      let from = start;
      for (let page = 0; page < 12; page += 1) {
        const { chunk, end } = await events(harness, { from, limit: 7 });
        assert.ok(chunk.length <= 7);
        found.push(...chunk.map((event: Body) => event.event_id));
        from = end;
      }
      assert.deepEqual(found, all);
    }
  });

  test('typing, receipts, presence and account data', async () => {
    const harness = await openHarness(backend);
    const { room, last } = await roomOfTwo(harness);
    const { end: from } = await initialSync(harness);
    types(harness, room, BOB);
    await harness.receipt(room, BOB, { eventId: last });
    goesOnline(harness, BOB);
    goesOnline(harness, CAROL);
    await harness.users.setAccountData({ userId: ALICE, type: 'org.global' }, { a: 1 });
    await harness.users.setAccountData({ userId: ALICE, roomId: room, type: 'm.tag' }, { b: 2 });
    const { chunk, end } = await events(harness, { from });
    const ts = harness.clock.now();
    assert.deepEqual(chunk, [
      { type: 'm.typing', room_id: room, content: { user_ids: [BOB] } },
      {
        type: 'm.receipt',
        room_id: room,
        content: { [last]: { 'm.read': { [BOB]: { ts } } } },
      },
      {
        type: 'm.presence',
        sender: BOB,
        content: { presence: 'online', last_active_ago: 0, currently_active: true, user_id: BOB },
      },
      { type: 'org.global', content: { a: 1 } },
      { type: 'm.tag', room_id: room, content: { b: 2 } },
    ]);
    types(harness, room, BOB, false);
    const stopped = await events(harness, { from: end });
    assert.deepEqual(stopped.chunk, [
      { type: 'm.typing', room_id: room, content: { user_ids: [] } },
    ]);
  });

  test('when not all fits, the rest comes with the last page and is not lost', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    const { end: start } = await initialSync(harness);
    types(harness, room, BOB);
    for (let n = 0; n < 3; n += 1) await harness.rooms.message(room, BOB, `${n}`);
    const first = await events(harness, { from: start, limit: 2 });
    assert.deepEqual(typesOf(first.chunk), ['m.room.message', 'm.room.message']);
    const second = await events(harness, { from: first.end, limit: 2 });
    assert.deepEqual(typesOf(second.chunk), ['m.room.message', 'm.typing']);
  });

  test('of one room: nothing of others, global account data or strangers', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    const other = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(other, CAROL, 'join');
    await roomInitialSync(harness, room);
    await harness.rooms.message(other, CAROL, 'elsewhere');
    types(harness, other, CAROL);
    goesOnline(harness, CAROL);
    await harness.users.setAccountData({ userId: ALICE, type: 'org.global' }, {});
    assert.deepEqual((await events(harness, { roomId: room })).chunk, []);
    goesOnline(harness, BOB);
    types(harness, room, BOB);
    await harness.users.setAccountData({ userId: ALICE, roomId: room, type: 'm.tag' }, {});
    const { chunk } = await events(harness, { roomId: room });
    assert.deepEqual(typesOf(chunk), ['m.typing', 'm.presence', 'm.tag']);
  });

  test('invites, joins and leaves', async () => {
    const harness = await openHarness(backend);
    const { end: start } = await initialSync(harness);
    const room = await harness.rooms.createRoom(BOB);
    await harness.rooms.message(room, BOB, 'before');
    await harness.rooms.member(room, ALICE, 'invite');
    const invited = await events(harness, { from: start });
    assert.deepEqual(
      invited.chunk.map((event: Body) => [
        event.content.membership,
        event.room_id,
        event.state_key,
      ]),
      [['invite', room, ALICE]],
    );
    await harness.rooms.message(room, BOB, 'not for the invited');
    await harness.rooms.member(room, ALICE, 'join');
    await harness.rooms.message(room, BOB, 'welcome');
    const joined = await events(harness, { from: invited.end });
    assert.deepEqual(typesOf(joined.chunk), ['m.room.member', 'm.room.message']);
    assert.equal(joined.chunk[1].content.body, 'welcome');
    await harness.rooms.message(room, BOB, 'farewell');
    await harness.rooms.member(room, ALICE, 'leave');
    await harness.rooms.message(room, BOB, 'afterwards');
    const left = await events(harness, { from: joined.end });
    assert.deepEqual(
      left.chunk.map((event: Body) => event.content.body ?? event.content.membership),
      ['farewell', 'leave'],
    );
    assert.deepEqual((await events(harness, { from: left.end })).chunk, []);
    // All of it at once, for who was away.
    const { chunk } = await events(harness, { from: start });
    assert.deepEqual(
      chunk.map((event: Body) => event.content.body ?? event.content.membership),
      ['invite', 'join', 'welcome', 'farewell', 'leave'],
    );
  });

  test('an invite to a room that is open to everybody is told once', async () => {
    const harness = await openHarness(backend);
    const { end: from } = await initialSync(harness);
    for (const visibility of ['world_readable', 'invited'] as const) {
      const room = await harness.rooms.createRoom(BOB, { visibility });
      await harness.rooms.member(room, ALICE, 'invite');
    }
    const { chunk } = await events(harness, { from });
    assert.deepEqual(
      chunk.map((event: Body) => [
        event.content.membership,
        event.unsigned.invite_room_state?.length > 0,
      ]),
      [
        ['invite', true],
        ['invite', true],
      ],
    );
  });

  test('who left the one room is told so, then refused', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    const { messages } = await roomInitialSync(harness, room);
    await harness.rooms.member(room, ALICE, 'leave');
    await harness.rooms.message(room, BOB, 'afterwards');
    const { chunk, end } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(typesOf(chunk), ['m.room.member']);
    await assert.rejects(events(harness, { roomId: room, from: end }), REFUSED);
    await assert.rejects(events(harness, { roomId: room, who: viewer(CAROL) }), REFUSED);
  });

  test('a waiting poll is woken by an invite, by typing and by account data', async () => {
    const harness = await openHarness(backend);
    const { room } = await roomOfTwo(harness);
    let { end: from } = await initialSync(harness);
    const wakers: (() => unknown)[] = [
      async () => harness.rooms.member(await harness.rooms.createRoom(CAROL), ALICE, 'invite'),
      () => types(harness, room, BOB),
      () => harness.users.setAccountData({ userId: ALICE, type: 'org.global' }, {}),
      () => goesOnline(harness, BOB),
    ];
    const told: string[] = [];
    for (const wake of wakers) {
      const waiting = events(harness, { from, timeoutMs: 30_000 });
      await harness.untilWaiting(ALICE, waiting);
      await wake();
      const { chunk, end } = await waiting;
      told.push(...typesOf(chunk));
      from = end;
    }
    assert.deepEqual(told, ['m.room.member', 'm.typing', 'org.global', 'm.presence']);
  });
});
