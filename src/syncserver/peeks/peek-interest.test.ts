// Who is still looking: what is published when, and what caps allow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';
import {
  ALICE,
  BOB,
  CAROL,
  type Harness,
  type HarnessOptions,
  openHarness,
  viewer,
} from '../testing/harness.ts';

const GRACE_MS = 900_000;

interface Published {
  readonly harness: Harness;
  readonly room: RoomId;
  /** Once that many levels have been published; those of them, in order. */
  levels(count: number): Promise<string[]>;
}

async function publishing(backend: Backend, options: HarnessOptions = {}): Promise<Published> {
  const harness = await openHarness(backend, { graceMs: GRACE_MS, ...options });
  const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
  const seen: string[] = [];
  const subscription = harness.eventLog.consume({
    name: 'test',
    topic: 'syncserver.peek_interest',
    database: harness.database,
    apply: async (_tx, entries) => {
      for (const { entry } of entries) seen.push(`${entry.sequence} ${entry.wanted}`);
    },
  });
  backend.closeFirst(() => subscription.close());
  return {
    harness,
    room,
    levels: async (count) => {
      await harness.settled();
      await until(async () => seen.length >= count);
      return seen;
    },
  };
}

const LOOKER = viewer(BOB);
const OTHER = viewer(CAROL);

forEachBackend('interest in rooms', (backend) => {
  test('the first who looks and the last who goes are told, nobody between', async () => {
    const { harness, room, levels } = await publishing(backend);
    await harness.rooms.peek(room, LOOKER);
    await harness.rooms.peek(room, OTHER);
    await harness.rooms.peek(room, LOOKER);
    assert.deepEqual(await levels(1), ['1 true']);
    await harness.rooms.unpeek(room, LOOKER);
    assert.deepEqual(await levels(1), ['1 true']);
    await harness.rooms.member(room, CAROL, 'join');
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
    await harness.rooms.peek(room, LOOKER, { via: 'events' });
    assert.deepEqual(await levels(3), ['1 true', '2 false', '3 true']);
  });

  test('with expiry the interest ends by itself', async () => {
    const { harness, room, levels } = await publishing(backend);
    await harness.rooms.peek(room, LOOKER, { lifetimeMs: 60_000 });
    await levels(1);
    harness.clock.advance(59_999);
    assert.deepEqual(await levels(1), ['1 true']);
    harness.clock.advance(1);
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
  });

  test('a device that does not sync for the grace period is not looking, until it comes back', async () => {
    const { harness, room, levels } = await publishing(backend);
    await harness.rooms.peek(room, LOOKER);
    await levels(1);
    harness.clock.advance(GRACE_MS - 1);
    const { next_batch: since } = await harness.sync(LOOKER);
    harness.clock.advance(GRACE_MS - 1);
    assert.deepEqual(await levels(1), ['1 true']);
    harness.clock.advance(1);
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
    await harness.rooms.message(room, ALICE, 'meanwhile');
    const { rooms } = await harness.sync(LOOKER, { since });
    assert.deepEqual(Object.keys(rooms), ['peek']);
    assert.deepEqual(await levels(3), ['1 true', '2 false', '3 true']);
  });

  test('after a restart every device has a fresh grace period, and the level goes on', async () => {
    const { harness, room, levels } = await publishing(backend);
    await harness.rooms.peek(room, LOOKER);
    await levels(1);
    harness.clock.advance(GRACE_MS - 1);
    await harness.start();
    harness.clock.advance(GRACE_MS - 1);
    assert.deepEqual(await levels(1), ['1 true']);
    harness.clock.advance(1);
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
  });

  test('who had not synced for long before a restart has a fresh grace period too', async () => {
    const { harness, room, levels } = await publishing(backend, { graceMs: 60_000 });
    await harness.rooms.peek(room, LOOKER);
    await levels(1);
    harness.clock.advance(60_000);
    await levels(2);
    await harness.start();
    assert.deepEqual(await levels(3), ['1 true', '2 false', '3 true']);
    harness.clock.advance(60_000);
    assert.deepEqual((await levels(4)).at(-1), '4 false');
  });

  test('who holds a sync open looks, however long it is', async () => {
    const { harness, room, levels } = await publishing(backend, { graceMs: 10_000 });
    await harness.rooms.peek(room, LOOKER);
    const { next_batch: since } = await harness.sync(LOOKER);
    const { answer } = await harness.waitingPoll(LOOKER, { since });
    for (let seconds = 0; seconds < 30; seconds += 1) {
      harness.clock.advance(1_000);
      assert.deepEqual(await levels(1), ['1 true']);
    }
    await answer;
    harness.clock.advance(9_999);
    assert.deepEqual(await levels(1), ['1 true']);
    harness.clock.advance(1);
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
  });

  test('of many who look, one is enough, whoever goes first', async () => {
    const { harness, room, levels } = await publishing(backend, { graceMs: 60_000 });
    const all = Array.from({ length: 30 }, (_, n) => viewer(BOB, `DEVICE${n}`));
    for (const one of all) await harness.rooms.peek(room, one);
    await levels(1);
    harness.clock.advance(30_000);
    await harness.sync(all[3] as Viewer);
    harness.clock.advance(30_000);
    assert.deepEqual(await levels(1), ['1 true']);
    harness.clock.advance(30_000);
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
  });

  test('a level that lasts is repeated', async () => {
    const { harness, room, levels } = await publishing(backend, { graceMs: 86_400_000 });
    await harness.rooms.peek(room, LOOKER, { lifetimeMs: 86_400_000 });
    await levels(1);
    harness.clock.advance(3_600_000);
    assert.deepEqual(await levels(2), ['1 true', '2 true']);
  });

  test('the end of visibility ends the interest', async () => {
    const { harness, room, levels } = await publishing(backend);
    await harness.rooms.peek(room, LOOKER);
    // Else both may be consumed before the first level is published, which then never is.
    await levels(1);
    await harness.rooms.setVisibility(room, 'shared');
    assert.deepEqual(await levels(2), ['1 true', '2 false']);
  });
});

forEachBackend('caps on peeks', (backend) => {
  const key = (userId: UserId, roomId: string, via: 'sync' | 'events' = 'sync') => ({
    userId,
    deviceId: LOOKER.deviceId,
    roomId: roomId as RoomId,
    via,
  });
  const isRefused = (error: unknown) =>
    error instanceof MatrixError &&
    error.errcode === 'M_LIMIT_EXCEEDED' &&
    Number(error.extra.retry_after_ms) > 0;

  test('starts at the same time do not exceed the cap of the user, in order of arrival', async () => {
    const { api } = await openHarness(backend, { maxPerUser: 2 });
    const starts = ['!1:h', '!2:h', '!3:h', '!1:h'].map((room) =>
      api.checkPeekLimits(key(BOB, room)),
    );
    const results = await Promise.allSettled(starts);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    );
    await api.checkPeekLimits(key(CAROL, '!3:h'));
  });

  test('renewals are allowed at the cap, and what ends makes room at once', async () => {
    const harness = await openHarness(backend, { maxPerUser: 1 });
    const [one, two] = [
      await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' }),
      await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' }),
    ];
    await harness.api.checkPeekLimits(key(BOB, one));
    await harness.rooms.peek(one, LOOKER);
    await harness.settled();
    await harness.api.checkPeekLimits(key(BOB, one));
    await assert.rejects(harness.api.checkPeekLimits(key(BOB, two)), isRefused);
    await assert.rejects(harness.api.checkPeekLimits(key(BOB, one, 'events')), isRefused);
    await harness.rooms.unpeek(one, LOOKER);
    await harness.rooms.peek(one, LOOKER);
    await harness.rooms.unpeek(one, LOOKER);
    await harness.settled();
    await harness.api.checkPeekLimits(key(BOB, two));
  });

  test('a room has a cap too', async () => {
    const harness = await openHarness(backend, { maxPerRoom: 1 });
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    await harness.rooms.peek(room, OTHER, { lifetimeMs: 60_000 });
    await harness.settled();
    await assert.rejects(harness.api.checkPeekLimits(key(BOB, room)), (error: unknown) => {
      assert.ok(isRefused(error));
      return (error as MatrixError).extra.retry_after_ms === 60_000;
    });
    harness.clock.advance(60_000);
    await harness.api.checkPeekLimits(key(BOB, room));
  });

  test('an allowed peek that never comes gives its place back after a while', async () => {
    const harness = await openHarness(backend, { maxPerUser: 1 });
    await harness.api.checkPeekLimits(key(BOB, '!refused:h'));
    await assert.rejects(harness.api.checkPeekLimits(key(BOB, '!other:h')), isRefused);
    harness.clock.advance(30_000);
    await harness.api.checkPeekLimits(key(BOB, '!other:h'));
  });
});
