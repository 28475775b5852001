// Unread counts: what notifies, what has been read, and that asking again costs little.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import {
  ALICE,
  BOB,
  type Body,
  CAROL,
  type Harness,
  openHarness,
  viewer,
} from '../testing/harness.ts';

const me = viewer(BOB);

const RULES = {
  global: {
    override: [],
    content: [
      {
        rule_id: 'urgent',
        enabled: true,
        default: false,
        pattern: 'urgent',
        actions: ['notify', { set_tweak: 'highlight' }],
      },
    ],
    room: [],
    sender: [],
    underride: [
      {
        rule_id: '.m.rule.message',
        enabled: true,
        default: true,
        conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.room.message' }],
        actions: ['notify'],
      },
    ],
  },
};

async function withRoom(backend: Backend): Promise<{ harness: Harness; room: RoomId }> {
  const harness = await openHarness(backend);
  harness.users.pushRules = RULES;
  const room = await harness.rooms.createRoom(ALICE);
  await harness.rooms.member(room, BOB, 'join');
  return { harness, room };
}

async function counts(harness: Harness, room: RoomId): Promise<[number, number]> {
  const { highlight_count, notification_count } = (await harness.sync(me)).rooms.join[room]
    .unread_notifications;
  return [notification_count, highlight_count];
}

function inThread(harness: Harness, room: RoomId, root: EventId): Promise<EventId> {
  const relation = { rel_type: 'm.thread', event_id: root };
  const content = { body: 'threaded', 'm.relates_to': relation };
  return harness.rooms.send(room, { sender: ALICE, type: 'm.room.message', content });
}

forEachBackend('unread counts', (backend) => {
  test('messages count, what does not notify does not, and highlights are told apart', async () => {
    const { harness, room } = await withRoom(backend);
    assert.deepEqual(await counts(harness, room), [0, 0]);
    await harness.rooms.message(room, ALICE, 'one');
    await harness.rooms.message(room, ALICE, 'this is urgent');
    await harness.rooms.send(room, { sender: ALICE, type: 'm.silent', content: {} });
    assert.deepEqual(await counts(harness, room), [2, 1]);
  });

  test('the count comes with the event', async () => {
    const { harness, room } = await withRoom(backend);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    await harness.rooms.message(room, ALICE, 'one');
    const section = (await answer).rooms.join[room];
    assert.deepEqual(section.unread_notifications, { highlight_count: 0, notification_count: 1 });
  });

  test('receipts, private ones too, clear what they cover; the furthest holds', async () => {
    const { harness, room } = await withRoom(backend);
    const ids = [];
    for (let n = 0; n < 4; n += 1) ids.push(await harness.rooms.message(room, ALICE, `${n}`));
    const [first, , third] = ids as [EventId, EventId, EventId];
    await harness.receipt(room, BOB, { eventId: third, type: 'm.read.private' });
    assert.deepEqual(await counts(harness, room), [1, 0]);
    await harness.receipt(room, BOB, { eventId: first });
    assert.deepEqual(await counts(harness, room), [1, 0]);
    await harness.receipt(room, CAROL, { eventId: ids[3] as EventId });
    assert.deepEqual(await counts(harness, room), [1, 0]);
    await harness.start();
    assert.deepEqual(await counts(harness, room), [1, 0]);
  });

  test('a receipt on one device tells the others that the count has changed', async () => {
    const { harness, room } = await withRoom(backend);
    const eventId = await harness.rooms.message(room, ALICE, 'one');
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    await harness.receipt(room, BOB, { eventId, type: 'm.read.private' });
    const section = (await answer).rooms.join[room];
    assert.equal(section.unread_notifications.notification_count, 0);
  });

  test('who answers has read; what came before the join was never unread', async () => {
    const { harness, room } = await withRoom(backend);
    await harness.rooms.message(room, ALICE, 'before');
    await harness.rooms.message(room, BOB, 'answer');
    assert.deepEqual(await counts(harness, room), [0, 0]);
    await harness.rooms.message(room, ALICE, 'after');
    assert.deepEqual(await counts(harness, room), [1, 0]);
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'while away');
    await harness.rooms.member(room, BOB, 'join');
    assert.deepEqual(await counts(harness, room), [0, 0]);
  });

  test('threads have counts and receipts of their own', async () => {
    const { harness, room } = await withRoom(backend);
    const root = await harness.rooms.message(room, ALICE, 'root');
    const reply = await inThread(harness, room, root);
    const relation = { rel_type: 'm.reference', event_id: reply };
    const content = { body: 'about the reply', 'm.relates_to': relation };
    await harness.rooms.send(room, { sender: ALICE, type: 'm.room.message', content });
    const filter = { room: { timeline: { unread_thread_notifications: true } } };
    const read = async (): Promise<Body> => (await harness.sync(me, { filter })).rooms.join[room];
    const both = await read();
    assert.equal(both.unread_notifications.notification_count, 1);
    assert.deepEqual(both.unread_thread_notifications, {
      [root]: { highlight_count: 0, notification_count: 2 },
    });
    assert.deepEqual(await counts(harness, room), [3, 0]);
    await harness.receipt(room, BOB, { eventId: reply, threadId: root });
    assert.equal((await read()).unread_thread_notifications[root].notification_count, 1);
    await harness.receipt(room, BOB, { eventId: root, threadId: 'main' });
    assert.equal((await read()).unread_notifications.notification_count, 0);
    await inThread(harness, room, root);
    const last = await inThread(harness, room, root);
    await harness.receipt(room, BOB, { eventId: last });
    const none = await read();
    assert.equal(none.unread_thread_notifications, undefined);
  });

  test('ignored users do not count; changed rules are applied', async () => {
    const { harness, room } = await withRoom(backend);
    await harness.rooms.message(room, ALICE, 'one');
    assert.deepEqual(await counts(harness, room), [1, 0]);
    harness.users.pushRules = { global: {} };
    assert.deepEqual(await counts(harness, room), [0, 0]);
    harness.users.pushRules = RULES;
    await harness.users.ignore(BOB, ALICE);
    await harness.rooms.message(room, ALICE, 'unheard');
    const [notified] = await counts(harness, room);
    assert.ok(notified <= 1);
  });

  test('more than memory holds is counted all the same', async () => {
    const { harness, room } = await withRoom(backend);
    for (let n = 0; n < 100; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    assert.deepEqual(await counts(harness, room), [100, 0]);
    await harness.start();
    assert.deepEqual(await counts(harness, room), [100, 0]);
  });
});
