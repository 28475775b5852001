// /messages where history that is missing cannot be had now: no page goes over it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { ALICE, type Body, type Harness, openHarness, viewer } from '../testing/harness.ts';

type Backfill = Harness['rooms']['backfill'];

/** Messages at these depths, each after a gap where the depth before it is not there. */
async function roomWith(backend: Backend, depths: readonly number[]) {
  const harness = await openHarness(backend);
  const roomId = await harness.rooms.createRoom(ALICE);
  for (const depth of depths) {
    harness.rooms.room(roomId).depth = depth - 1;
    await harness.rooms.message(roomId, ALICE, `${depth}`);
  }
  return { harness, roomId };
}

interface PageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly filter?: JsonObject;
}

async function read(harness: Harness, roomId: RoomId, options: PageOptions = {}): Promise<Body> {
  await harness.settled();
  const defaults = { dir: 'b', limit: 10, filter: {} } as const;
  return harness.api.messages({ viewer: viewer(ALICE), roomId, ...defaults, ...options });
}

const bodiesOf = (page: Body): string[] =>
  page.chunk.map((event: Body) => event.content.body).filter(Boolean);

/** Nothing can be had now of what comes before the messages of these depths. */
function missingBefore(...depths: number[]): Backfill {
  return async ({ minDepth, maxDepth }) => {
    const [gapAt] = depths.filter((depth) => depth >= minDepth && depth <= maxDepth).toSorted(deep);
    return { position: 0, isNew: false, ...(gapAt !== undefined && { gapAt }) };
  };
}

const deep = (one: number, other: number) => other - one;

forEachBackend('gaps in /messages', (backend) => {
  test('a page ends there, the next ones are empty, until it is filled', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 11, 20, 21]);
    harness.rooms.backfill = missingBefore(20);
    const page = await read(harness, roomId);
    assert.deepEqual(bodiesOf(page), ['21', '20']);
    let { end } = page;
    for (let time = 0; time < 3; time += 1) {
      const next = await read(harness, roomId, { from: end });
      assert.deepEqual([next.chunk, next.start, next.end], [[], end, end]);
      ({ end } = next);
    }
    const content = { body: 'it', msgtype: 'm.text' };
    harness.rooms.backfill = async () => {
      await harness.rooms.fillIn(roomId, { sender: ALICE, type: 'm.room.message', content }, 19);
      harness.rooms.backfill = missingBefore();
      return { position: harness.rooms.position, isNew: true, gapAt: 20 };
    };
    const filled = await read(harness, roomId, { from: end });
    assert.deepEqual(bodiesOf(filled), ['it', '11', '10']);
    assert.equal(filled.end, undefined);
  });

  test('what nobody has is stepped over', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 20]);
    assert.deepEqual(bodiesOf(await read(harness, roomId)), ['20', '10']);
  });

  test('a gap before the last event of a full page is the business of the next', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 20, 21]);
    harness.rooms.backfill = missingBefore(20);
    const page = await read(harness, roomId, { limit: 2 });
    assert.deepEqual(bodiesOf(page), ['21', '20']);
    const next = await read(harness, roomId, { limit: 2, from: page.end });
    assert.deepEqual([next.chunk, next.end], [[], page.end]);
  });

  test('a gap before `to` is none of the page', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 20, 21, 22]);
    harness.rooms.backfill = missingBefore(20);
    const { end: to } = await read(harness, roomId, { limit: 2 });
    const page = await read(harness, roomId, { to });
    assert.deepEqual([bodiesOf(page), page.end], [['22', '21'], undefined]);
  });

  test('a page of which the filter drops all leads to the gap, and no further', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 20, 21]);
    harness.rooms.backfill = missingBefore(20);
    const filter = { types: ['m.nothing'] };
    const page = await read(harness, roomId, { filter });
    assert.deepEqual(page.chunk, []);
    const next = await read(harness, roomId, { filter, from: page.end });
    assert.deepEqual([next.chunk, next.end], [[], page.end]);
  });

  test('a gap before any of the events with which a timeline begins', async () => {
    const { harness, roomId } = await roomWith(backend, [10]);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    const topic = { sender: ALICE, type: 'm.room.topic', stateKey: '', content: {} };
    await harness.rooms.replaceState(roomId, topic, 'resync');
    for (const depth of [20, 30]) {
      harness.rooms.room(roomId).depth = depth - 1;
      await harness.rooms.message(roomId, ALICE, `${depth}`);
    }
    const { rooms } = await harness.sync(viewer(ALICE), { since });
    const { limited, prev_batch: from } = rooms.join[roomId].timeline;
    assert.equal(limited, true);
    harness.rooms.backfill = missingBefore(30);
    const page = await read(harness, roomId, { from });
    assert.deepEqual([page.chunk, page.end], [[], from]);
    // Of what came later it is not the past.
    harness.rooms.backfill = missingBefore(30);
    const older = await read(harness, roomId, { from: since });
    assert.deepEqual(bodiesOf(older), ['10']);
  });

  test('others are asked a few times for one page', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 100]);
    let depth = 100;
    const content = { body: 'more', msgtype: 'm.text' };
    harness.rooms.backfill = async () => {
      const gapAt = depth;
      depth -= 1;
      await harness.rooms.fillIn(roomId, { sender: ALICE, type: 'm.room.message', content }, depth);
      return { position: harness.rooms.position, isNew: true, gapAt };
    };
    const page = await read(harness, roomId);
    assert.deepEqual(bodiesOf(page), ['100', 'more', 'more']);
    assert.equal(harness.rooms.calls.get('performBackfill'), 3);
    const next = await read(harness, roomId, { from: page.end });
    assert.deepEqual(bodiesOf(next).length, 3);
  });

  test('what was brought and cannot be read yet is not gone over', async () => {
    const { harness, roomId } = await roomWith(backend, [10, 20, 21]);
    await harness.settled();
    let isWaiting: (() => void) | undefined;
    harness.rooms.backfill = async () => {
      isWaiting?.();
      return { position: harness.rooms.position + 1_000, isNew: true, gapAt: 20 };
    };
    const asked = new Promise<void>((resolve) => {
      isWaiting = resolve;
    });
    const reading = read(harness, roomId);
    await asked;
    const isWaitingForIt = () => harness.clock.scheduled.at(-1) === 5_000;
    while (!isWaitingForIt()) await new Promise(setImmediate);
    harness.clock.advance(5_000);
    const page = await reading;
    assert.equal(typeof page.end, 'string');
    assert.ok(!bodiesOf(page).includes('10'));
  });
});
