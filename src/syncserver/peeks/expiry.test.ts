// The end of peeks by time: where exactly it lies, that it is told once and always the same, whatever the clock does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { ALICE, BOB, bodies, types, viewer } from '../testing/harness.ts';
import { LOOKER, type Looking, openLooking } from '../testing/looking.ts';

const LIFETIME_MS = 3_600_000;

/** Nobody lapses. */
function looking(backend: Backend): Promise<Looking> {
  return openLooking(backend, { graceMs: 100 * LIFETIME_MS });
}

forEachBackend('the expiry of peeks', (backend) => {
  test('what comes a millisecond before is shown, what comes at that moment is not', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS - 1);
    await harness.rooms.message(room, ALICE, 'before');
    await harness.settled();
    const active = { ...LOOKER, roomId: room, via: 'sync' } as const;
    assert.equal((await harness.api.queryPeek(active)).active, true);
    harness.clock.advance(1);
    assert.equal((await harness.api.queryPeek(active)).active, false);
    await harness.rooms.message(room, ALICE, 'at that moment');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['leave']);
    assert.deepEqual(bodies(rooms.leave[room]), ['before']);
  });

  test('the same token gets the same answer, though the clock has stood still meanwhile', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS);
    const ended = await harness.sync(LOOKER, { since });
    assert.deepEqual(ended.rooms, { leave: { [room]: {} } });
    await harness.rooms.message(room, ALICE, 'at that moment');
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, ended.rooms);
    await harness.start();
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, ended.rooms);
    assert.equal((await harness.sync(LOOKER, { since: ended.next_batch })).rooms, undefined);
  });

  test('a clock that is set back brings no peek back to life', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS);
    const ended = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(ended.rooms), ['leave']);
    harness.clock.advance(-LIFETIME_MS / 2);
    await harness.rooms.message(room, ALICE, 'unseen');
    const next = await harness.sync(LOOKER, { since: ended.next_batch });
    assert.equal(next.rooms, undefined);
    await harness.rooms.peek(room, LOOKER);
    const { rooms } = await harness.sync(LOOKER, { since: next.next_batch });
    assert.deepEqual(Object.keys(rooms), ['peek']);
    const all = [...types(rooms.peek[room], 'state'), ...types(rooms.peek[room])];
    assert.ok(all.includes('m.room.create'));
  });

  test('nor does it end one that was not told as ended', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS - 1_000);
    const later = await harness.sync(LOOKER, { since });
    harness.clock.advance(-LIFETIME_MS / 2);
    await harness.rooms.message(room, ALICE, 'still seen');
    const { rooms } = await harness.sync(LOOKER, { since: later.next_batch });
    assert.deepEqual(bodies(rooms.peek[room]), ['still seen']);
  });

  test('told with the clock set back, it is told once', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS);
    await harness.sync(LOOKER, { since });
    harness.clock.advance(-LIFETIME_MS / 2);
    const again = await harness.sync(LOOKER, { since });
    assert.deepEqual(again.rooms, { leave: { [room]: {} } });
    assert.equal((await harness.sync(LOOKER, { since: again.next_batch })).rooms, undefined);
  });

  test('posted again at that very moment, it is a new peek', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.message(room, ALICE, 'before');
    await harness.settled();
    harness.clock.advance(LIFETIME_MS);
    await harness.rooms.peek(room, LOOKER);
    const { rooms, next_batch: next } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['peek']);
    assert.ok(types(rooms.peek[room]).includes('m.room.create'));
    assert.equal(rooms.peek[room].timeline.limited, true);
    await harness.rooms.message(room, ALICE, 'after');
    const later = await harness.sync(LOOKER, { since: next });
    assert.deepEqual(bodies(later.rooms.peek[room]), ['after']);
  });

  for (const end of ['unpeek', 'the end of visibility', 'ban'] as const) {
    test(`what ends it afterwards changes nothing: ${end}`, async () => {
      const { harness, room, since } = await looking(backend);
      await harness.rooms.message(room, ALICE, 'before');
      await harness.settled();
      harness.clock.advance(LIFETIME_MS);
      await harness.rooms.message(room, ALICE, 'after');
      if (end === 'unpeek') await harness.rooms.unpeek(room, LOOKER);
      else if (end === 'ban') await harness.rooms.member(room, BOB, 'ban');
      else await harness.rooms.setVisibility(room, 'joined');
      const { rooms } = await harness.sync(LOOKER, { since });
      const own = end === 'ban' ? ['m.room.member'] : [];
      assert.deepEqual(types(rooms.leave[room]), ['m.room.message', ...own]);
      assert.deepEqual(bodies(rooms.leave[room]), ['before']);
    });
  }

  test('joined afterwards, but before it was told: the room moves to join all the same', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS);
    await harness.rooms.message(room, ALICE, 'between');
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['join']);
    assert.deepEqual(types(rooms.join[room]), ['m.room.message', 'm.room.member']);
    assert.deepEqual(types(rooms.join[room], 'state'), []);
  });

  test('a timer after a restart ends a peek that a device waits with', async () => {
    const { harness, room, since } = await looking(backend);
    harness.clock.advance(LIFETIME_MS - 10_000);
    await harness.start();
    harness.clock.scheduled.length = 0;
    const waiting = harness.poll(LOOKER, { since });
    await until(async () => harness.clock.scheduled.includes(10_000));
    harness.clock.advance(10_000);
    assert.deepEqual((await waiting).rooms, { leave: { [room]: {} } });
  });

  test('each device has its own end, and a since-less sync shows only what goes on', async () => {
    const { harness, room, since } = await looking(backend);
    const other = viewer(BOB, 'OTHER');
    harness.clock.advance(LIFETIME_MS / 2);
    await harness.rooms.peek(room, other);
    const { next_batch: otherSince } = await harness.sync(other);
    harness.clock.advance(LIFETIME_MS / 2);
    await harness.rooms.message(room, ALICE, 'for one');
    assert.equal((await harness.sync(LOOKER)).rooms, undefined);
    const goesOn = await harness.sync(other, { since: otherSince });
    assert.deepEqual(bodies(goesOn.rooms.peek[room]), ['for one']);
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, { leave: { [room]: {} } });
  });

  test('a device that is long gone is told when it comes back within a week', async () => {
    const { harness, room, since } = await looking(backend);
    await harness.rooms.message(room, ALICE, 'before');
    await harness.settled();
    harness.clock.advance(6 * 86_400_000);
    await harness.rooms.message(room, ALICE, 'after');
    await harness.start();
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(bodies(rooms.leave[room]), ['before']);
  });

  test('a token of /events takes nothing of a peek away from /sync', async () => {
    const { harness, room } = await looking(backend);
    const quiet = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    await harness.rooms.peek(quiet, LOOKER);
    await harness.settled();
    const everything = { viewer: LOOKER, limit: 10, archived: false };
    const { end } = (await harness.api.initialSync(everything)) as { end: string };
    const first = await harness.sync(LOOKER, { since: end });
    assert.deepEqual(Object.keys(first.rooms.peek).sort(), [room, quiet].sort());
    assert.ok(types(first.rooms.peek[quiet]).includes('m.room.create'));
    harness.clock.advance(LIFETIME_MS);
    const later = (await harness.api.initialSync(everything)) as { end: string };
    const ended = await harness.sync(LOOKER, { since: later.end });
    assert.deepEqual(Object.keys(ended.rooms.leave).sort(), [room, quiet].sort());
    await until(async () => {
      const { rooms } = await harness.sync(LOOKER, { since: ended.next_batch });
      return rooms === undefined;
    });
  });
});
