// How today's clients look into rooms: initialSync of a room, then /events of it, without gap and up to the event
// that ends it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';
import type { Viewer } from '../api.ts';
import { ALICE, BOB, type Body, type Harness, openHarness, viewer } from '../testing/harness.ts';

const LOOKER = viewer(BOB);
const REFUSED = { name: 'MatrixError', errcode: 'M_FORBIDDEN' };

const bodiesOf = (events: Body[]): string[] => events.map((event) => event.content.body);
const typesOf = (events: Body[]): string[] => events.map((event) => event.type);

/** As the client's GET: the short peek is made or renewed first. */
async function initialSync(harness: Harness, roomId: RoomId, who: Viewer = LOOKER): Promise<Body> {
  await harness.rooms.peek(roomId, who, { via: 'events', lifetimeMs: 300_000 });
  await harness.settled();
  return harness.api.roomInitialSync({ viewer: who, roomId, limit: 20 });
}

interface Poll {
  readonly roomId?: RoomId;
  readonly from?: string;
  readonly timeoutMs?: number;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

async function events(harness: Harness, poll: Poll, who: Viewer = LOOKER): Promise<Body> {
  await harness.settled();
  return harness.api.events({ viewer: who, timeoutMs: 0, ...poll });
}

forEachBackend('initialSync and events of lookers', (backend) => {
  async function openRoom(
    visibility: HistoryVisibility = 'world_readable',
  ): Promise<{ harness: Harness; room: RoomId }> {
    const harness = await openHarness(backend);
    return { harness, room: await harness.rooms.createRoom(ALICE, { visibility }) };
  }

  test('the current state, and messages of the open time only', async () => {
    const { harness, room } = await openRoom('shared');
    await harness.rooms.message(room, ALICE, 'private');
    await harness.rooms.setVisibility(room, 'world_readable');
    await harness.rooms.message(room, ALICE, 'public');
    const answer = await initialSync(harness, room);
    assert.equal(answer.room_id, room);
    assert.equal('membership' in answer, false);
    assert.deepEqual(typesOf(answer.messages.chunk), [
      'm.room.history_visibility',
      'm.room.message',
    ]);
    assert.equal(answer.messages.chunk[1].content.body, 'public');
    assert.equal(answer.messages.chunk[1].room_id, room);
    assert.equal(answer.messages.chunk[1].user_id, ALICE);
    assert.ok(typesOf(answer.state).includes('m.room.create'));
    assert.ok(typesOf(answer.state).includes('m.room.member'));
    assert.deepEqual([answer.presence, answer.receipts], [[], []]);
    assert.equal(answer.visibility, 'private');
  });

  test('/messages goes on at both ends of the messages', async () => {
    const { harness, room } = await openRoom();
    for (let n = 0; n < 30; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    const { messages } = await initialSync(harness, room);
    assert.equal(messages.chunk.length, 20);
    assert.equal(messages.chunk[0].content.body, '10');
    await harness.rooms.message(room, ALICE, 'later');
    await harness.settled();
    const place = { viewer: LOOKER, roomId: room, limit: 5, filter: {} };
    const earlier: Body = await harness.api.messages({ ...place, from: messages.start, dir: 'b' });
    assert.deepEqual(bodiesOf(earlier.chunk), ['9', '8', '7', '6', '5']);
    const later: Body = await harness.api.messages({ ...place, from: messages.end, dir: 'f' });
    assert.deepEqual(bodiesOf(later.chunk), ['later']);
  });

  test('no event is lost between initialSync and the first /events, nor told twice', async () => {
    const { harness, room } = await openRoom();
    await harness.rooms.message(room, ALICE, 'before');
    await initialSync(harness, room);
    await harness.rooms.message(room, ALICE, 'between');
    const first = await events(harness, { roomId: room });
    assert.deepEqual(bodiesOf(first.chunk), ['between']);
    assert.equal(first.chunk[0].room_id, room);
    assert.equal(first.chunk[0].user_id, ALICE);
    // A lost answer is given again.
    assert.deepEqual((await events(harness, { roomId: room })).chunk.length, 1);
    await harness.rooms.message(room, ALICE, 'after');
    const next = await events(harness, { roomId: room, from: first.end });
    assert.deepEqual(bodiesOf(next.chunk), ['after']);
    assert.equal(next.start, first.end);
    assert.deepEqual((await events(harness, { roomId: room, from: next.end })).chunk, []);
  });

  test('each room and each device goes on where its own initialSync ended', async () => {
    const { harness, room } = await openRoom();
    const other = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    const phone = viewer(BOB, 'PHONE');
    await initialSync(harness, room);
    await harness.rooms.message(room, ALICE, 'one');
    await initialSync(harness, room, phone);
    await initialSync(harness, other);
    await harness.rooms.message(room, ALICE, 'two');
    await harness.rooms.message(other, ALICE, 'three');
    assert.deepEqual(bodiesOf((await events(harness, { roomId: room })).chunk), ['one', 'two']);
    assert.deepEqual(bodiesOf((await events(harness, { roomId: room }, phone)).chunk), ['two']);
    assert.deepEqual(bodiesOf((await events(harness, { roomId: other })).chunk), ['three']);
  });

  test('a restart in between loses nothing', async () => {
    const { harness, room } = await openRoom();
    await initialSync(harness, room);
    await harness.rooms.message(room, ALICE, 'before the restart');
    await harness.settled();
    await harness.start();
    await harness.rooms.message(room, ALICE, 'after the restart');
    const { chunk } = await events(harness, { roomId: room });
    assert.deepEqual(bodiesOf(chunk), ['before the restart', 'after the restart']);
  });

  test('without an initialSync, /events starts with the present', async () => {
    const { harness, room } = await openRoom();
    await harness.rooms.message(room, ALICE, 'past');
    await harness.rooms.peek(room, LOOKER, { via: 'events' });
    const first = await events(harness, { roomId: room });
    assert.deepEqual(first.chunk, []);
    await harness.rooms.message(room, ALICE, 'future');
    assert.deepEqual(bodiesOf((await events(harness, { roomId: room, from: first.end })).chunk), [
      'future',
    ]);
  });

  test('a waiting poll is woken by an event of the room, and by its timeout', async () => {
    const { harness, room } = await openRoom();
    const other = await harness.rooms.createRoom(ALICE);
    await initialSync(harness, room);
    const waiting = events(harness, { roomId: room, timeoutMs: 30_000 });
    await harness.untilWaiting(BOB, waiting);
    await harness.rooms.message(other, ALICE, 'elsewhere');
    await harness.rooms.message(room, ALICE, 'wake up');
    const { chunk, end } = await waiting;
    assert.deepEqual(bodiesOf(chunk), ['wake up']);
    const idle = events(harness, { roomId: room, from: end, timeoutMs: 30_000 });
    await harness.untilWaiting(BOB, idle);
    harness.clock.advance(30_000);
    assert.deepEqual((await idle).chunk, []);
  });

  test('a client that goes away ends the wait', async () => {
    const { harness, room } = await openRoom();
    await initialSync(harness, room);
    const gone = new AbortController();
    const waiting = events(harness, { roomId: room, timeoutMs: 30_000, signal: gone.signal });
    await harness.untilWaiting(BOB, waiting);
    gone.abort();
    assert.deepEqual((await waiting).chunk, []);
  });

  for (const wakes of [true, false]) {
    test(`what ends the visibility is told, then nothing more; waiting=${wakes}`, async () => {
      const { harness, room } = await openRoom();
      const { messages } = await initialSync(harness, room);
      const waiting =
        wakes && events(harness, { roomId: room, timeoutMs: 30_000, from: messages.end });
      if (waiting) await harness.untilWaiting(BOB, waiting);
      if (!wakes) await harness.rooms.message(room, ALICE, 'last');
      const tightened = await harness.rooms.setVisibility(room, 'shared');
      await harness.rooms.message(room, ALICE, 'secret');
      const { chunk, end } = await (waiting ||
        events(harness, { roomId: room, from: messages.end }));
      assert.equal(chunk.at(-1).event_id, tightened);
      assert.equal(chunk.length, wakes ? 1 : 2);
      await assert.rejects(events(harness, { roomId: room, from: end }), REFUSED);
      await assert.rejects(
        events(harness, { roomId: room, from: end, timeoutMs: 30_000 }),
        REFUSED,
      );
      await assert.rejects(
        harness.api.roomInitialSync({ viewer: LOOKER, roomId: room, limit: 1 }),
        REFUSED,
      );
    });
  }

  test('the start of encryption ends it likewise', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    const key = { type: 'm.room.encryption', stateKey: '' };
    await harness.rooms.setState(room, ALICE, { ...key, content: { algorithm: 'x' } });
    await harness.rooms.message(room, ALICE, 'secret');
    const { chunk, end } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(typesOf(chunk), ['m.room.encryption']);
    await assert.rejects(events(harness, { roomId: room, from: end }), REFUSED);
  });

  test('a /sync of the same device does not take the end away from /events', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    const tightened = await harness.rooms.setVisibility(room, 'shared');
    const { next_batch: since, rooms } = await harness.sync(LOOKER);
    assert.equal(rooms, undefined);
    await harness.sync(LOOKER, { since });
    const { chunk } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(
      chunk.map((event: Body) => event.event_id),
      [tightened],
    );
  });

  test('the end is told for as long as the peek would have lasted, and no longer', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    await harness.rooms.setVisibility(room, 'shared');
    harness.clock.advance(300_000);
    await assert.rejects(events(harness, { roomId: room, from: messages.end }), REFUSED);
  });

  test('a peek that lapsed and is taken up again tells all that happened in the open', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    harness.clock.advance(300_000);
    await assert.rejects(events(harness, { roomId: room, from: messages.end }), REFUSED);
    await harness.rooms.message(room, ALICE, 'open');
    await harness.rooms.setVisibility(room, 'shared');
    await harness.rooms.message(room, ALICE, 'closed');
    await harness.rooms.setVisibility(room, 'world_readable');
    await harness.rooms.peek(room, LOOKER, { via: 'events' });
    const { chunk } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(typesOf(chunk), [
      'm.room.message',
      'm.room.history_visibility',
      'm.room.history_visibility',
    ]);
  });

  test('no typing, receipts, presence or account data for lookers', async () => {
    const { harness, room } = await openRoom();
    const event = await harness.rooms.message(room, ALICE, 'x');
    await initialSync(harness, room);
    harness.eventLog.publishEphemeral('edu.typing', room, {
      userId: ALICE,
      typing: true,
      timeoutMs: 30_000,
    });
    const online = { presence: 'online' as const, lastActiveTs: harness.clock.now() };
    harness.eventLog.publishEphemeral('edu.presence', ALICE, online);
    await harness.receipt(room, ALICE, { eventId: event });
    await harness.users.setAccountData({ userId: BOB, roomId: room, type: 'm.tag' }, { tags: {} });
    assert.deepEqual((await events(harness, { roomId: room })).chunk, []);
  });

  test('a sync peek is not enough for /events, nor is another device', async () => {
    const { harness, room } = await openRoom();
    await harness.rooms.peek(room, LOOKER, { via: 'sync' });
    await harness.rooms.peek(room, viewer(BOB, 'PHONE'), { via: 'events' });
    await assert.rejects(events(harness, { roomId: room }), REFUSED);
  });

  test('who joins goes on as a member with the same token', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.setVisibility(room, 'joined');
    await harness.rooms.message(room, ALICE, 'for members');
    const { chunk, end } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(typesOf(chunk), [
      'm.room.member',
      'm.room.history_visibility',
      'm.room.message',
    ]);
    assert.deepEqual((await events(harness, { roomId: room, from: end })).chunk, []);
  });

  test('who was banned is told that, and no more', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    await harness.rooms.member(room, BOB, 'ban');
    await harness.rooms.message(room, ALICE, 'behind her back');
    const { chunk, end } = await events(harness, { roomId: room, from: messages.end });
    assert.deepEqual(typesOf(chunk), ['m.room.member']);
    await assert.rejects(events(harness, { roomId: room, from: end }), REFUSED);
  });

  test('many events come in pages, in order and whole', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    const all: EventId[] = [];
    for (let n = 0; n < 12; n += 1) all.push(await harness.rooms.message(room, ALICE, `${n}`));
    for (const restarted of [false, true]) {
      if (restarted) await harness.start();
      const found: string[] = [];
      let from = messages.end;
      for (let page = 0; page < 3; page += 1) {
        const { chunk, end } = await events(harness, { roomId: room, from, limit: 5 });
        found.push(...chunk.map((event: Body) => event.event_id));
        from = end;
      }
      assert.deepEqual(found, all);
    }
  });

  test('a page of hidden events does not end the walk', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    await harness.rooms.setVisibility(room, 'shared');
    for (let n = 0; n < 9; n += 1) await harness.rooms.message(room, ALICE, 'hidden');
    await harness.rooms.setVisibility(room, 'world_readable');
    await harness.rooms.message(room, ALICE, 'seen');
    await harness.rooms.peek(room, LOOKER, { via: 'events' });
    const first = await events(harness, { roomId: room, from: messages.end, limit: 3 });
    assert.deepEqual(typesOf(first.chunk), ['m.room.history_visibility']);
    const second = await events(harness, { roomId: room, from: first.end, limit: 3 });
    assert.ok(second.chunk.length > 0);
    assert.equal(bodiesOf(second.chunk).includes('hidden'), false);
  });

  test('messages of ignored users are left out', async () => {
    const { harness, room } = await openRoom();
    await harness.users.ignore(BOB, ALICE);
    await harness.rooms.message(room, ALICE, 'ignored');
    const { messages } = await initialSync(harness, room);
    assert.equal(bodiesOf(messages.chunk).includes('ignored'), false);
    await harness.rooms.message(room, ALICE, 'ignored');
    assert.deepEqual((await events(harness, { roomId: room })).chunk, []);
  });

  test('tokens: foreign ones and those of /messages are refused, those of /sync are taken', async () => {
    const { harness, room } = await openRoom();
    const { messages } = await initialSync(harness, room);
    for (const from of ['nonsense', messages.start]) {
      const refused = { name: 'MatrixError', errcode: 'M_INVALID_PARAM' };
      await assert.rejects(events(harness, { roomId: room, from }), refused);
    }
    const { next_batch: from } = await harness.sync(LOOKER);
    await harness.rooms.message(room, ALICE, 'later');
    assert.deepEqual(bodiesOf((await events(harness, { roomId: room, from })).chunk), ['later']);
  });

  test('no token of these endpoints acknowledges messages to the device', async () => {
    const { harness, room } = await openRoom();
    harness.users.devices.set(BOB, [LOOKER.deviceId]);
    await harness.sync(LOOKER);
    await harness.toDevice(BOB, LOOKER.deviceId, 'keys');
    const { messages } = await initialSync(harness, room);
    const { end } = await events(harness, { roomId: room });
    for (const since of [messages.end, end]) {
      const { to_device: told } = await harness.sync(LOOKER, { since });
      assert.deepEqual(bodiesOf(told.events), ['keys']);
    }
  });

  test('where an initialSync ended is forgotten with the device', async () => {
    const { harness, room } = await openRoom();
    await initialSync(harness, room);
    await harness.rooms.message(room, ALICE, 'for the old device');
    await harness.users.deleteDevice(BOB, LOOKER.deviceId);
    await harness.settled();
    harness.users.addDevice(BOB, LOOKER.deviceId);
    await harness.rooms.peek(room, LOOKER, { via: 'events' });
    assert.deepEqual((await events(harness, { roomId: room })).chunk, []);
  });
});
