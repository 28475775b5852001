// What many members or many rooms must not cost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import { ALICE, BOB, type Body, type Harness, openHarness, viewer } from './testing/harness.ts';

forEachBackend('scale of the syncserver', (backend) => {
  test('heroes are looked up once for all whom a change of members wakes', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 20);
    const polls = await Promise.all(members.map((userId) => waiting(harness, userId)));
    harness.rooms.calls.clear();
    const reads = harness.countReads();
    await harness.rooms.member(room, BOB, 'join');
    for (const { answer } of polls) {
      assert.equal((await answer).rooms.join[room].summary['m.joined_member_count'], 22);
    }
    assert.equal(harness.rooms.calls.get('queryStateIds'), 1);
    assert.ok(reads() <= 4, `${reads()} statements`);
  });

  test('heroes of a large room are members, although most have left', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 130);
    for (const userId of members) await harness.rooms.member(room, userId, 'leave');
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(viewer(ALICE));
    assert.deepEqual(rooms.join[room].summary['m.heroes'], [BOB]);
  });

  test('presence of very many is told bit by bit, of each once, and only of those one knows', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 800);
    const strangers = Array.from({ length: 800 }, (_, n) => `@stranger${n}:localhost` as UserId);
    for (const userId of [...strangers, ...members]) online(harness, userId);
    const told: string[] = [];
    let { next_batch: since, presence } = await harness.sync(viewer(ALICE));
    while (presence !== undefined) {
      assert.ok(presence.events.length < 800);
      told.push(...presence.events.map((event: Body) => event.sender));
      ({ next_batch: since, presence } = await harness.sync(viewer(ALICE), { since }));
    }
    assert.deepEqual(told.toSorted(), members.toSorted());
  });

  test('a change of presence wakes neighbours, but not all of a large room', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 210);
    const small = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(small, BOB, 'join');
    for (const userId of members) await harness.sync(viewer(userId));
    const bob = await waiting(harness, BOB);
    const member = await waiting(harness, members[0] as UserId);
    online(harness, ALICE);
    assert.equal((await bob.answer).presence.events[0].sender, ALICE);
    assert.ok(harness.isWaiting(members[0] as UserId));
    await harness.rooms.message(room, ALICE, 'something else');
    const { presence, rooms } = await member.answer;
    assert.equal(presence.events[0].sender, ALICE);
    assert.equal(rooms.join[room].timeline.events.length, 1);
  });

  test('of very many who wait some are answered at a time', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 120);
    const polls = await Promise.all(members.map((userId) => waiting(harness, userId)));
    let answered = 0;
    const bodies = polls.map(({ answer }) =>
      answer.then((body) => {
        answered += 1;
        return body.rooms.join[room].timeline.events;
      }),
    );
    await harness.rooms.message(room, ALICE, 'to all');
    const inOneTurn: number[] = [];
    while (answered < members.length) {
      const before = answered;
      await new Promise(setImmediate);
      inOneTurn.push(answered - before);
    }
    assert.ok(Math.max(...inOneTurn) < 70, `${inOneTurn} answers in one turn`);
    for (const events of await Promise.all(bodies)) assert.equal(events.length, 1);
  });

  test('a sync of a user in very many rooms looks into those that have changed', async () => {
    const harness = await openHarness(backend);
    const rooms: RoomId[] = [];
    for (let n = 0; n < 100; n += 1) rooms.push(await harness.rooms.createRoom(ALICE));
    const left = await harness.rooms.createRoom(BOB);
    await harness.rooms.member(left, ALICE, 'join');
    await harness.rooms.member(left, ALICE, 'leave');
    const [changed, tagged] = rooms as [RoomId, RoomId];
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await harness.rooms.message(changed, ALICE, 'news');
    await harness.rooms.message(left, BOB, 'no news');
    const key = { userId: ALICE, type: 'm.tag', roomId: tagged };
    await harness.users.setAccountData(key, { tags: {} });
    await harness.settled();
    const reads = harness.countReads();
    const body = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(Object.keys(body.rooms.join).sort(), [changed, tagged].sort());
    assert.equal(body.rooms.leave, undefined);
    assert.ok(reads() <= 6, `${reads()} statements`);
  });
});

function online({ eventLog }: Harness, userId: UserId): void {
  eventLog.publishEphemeral('edu.presence', userId, { presence: 'online', lastActiveTs: 0 });
}

async function join(harness: Harness, room: RoomId, count: number): Promise<UserId[]> {
  const members = Array.from({ length: count }, (_, n) => `@member${n}:localhost` as UserId);
  for (const userId of members) await harness.rooms.member(room, userId, 'join');
  return members;
}

async function waiting(harness: Harness, userId: UserId): Promise<{ answer: Promise<Body> }> {
  const { next_batch: since } = await harness.sync(viewer(userId));
  return harness.waitingPoll(viewer(userId), { since });
}
