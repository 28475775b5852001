// Long polls: what ends a wait, what slips in between looking and waiting, and what a wait costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { MatrixError } from '../../protocol/error.ts';
import { ALICE, BOB, bodies, openHarness, viewer } from '../testing/harness.ts';
import { encodeSyncToken, parseSyncToken } from '../tokens.ts';

const me = viewer(ALICE);
const TIME_IS_OVER = 30_000;

forEachBackend('sync: waiting', (backend) => {
  test('time ends it, with a token to go on from', async () => {
    const harness = await openHarness(backend);
    await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    harness.clock.advance(TIME_IS_OVER);
    const body = await answer;
    assert.equal(body.rooms, undefined);
    assert.deepEqual(
      { ...parseSyncToken(body.next_batch), time: 0 },
      { ...parseSyncToken(since), time: 0 },
    );
  });

  test('an aborted request ends it', async () => {
    const harness = await openHarness(backend);
    const { next_batch: since } = await harness.sync(me);
    const controller = new AbortController();
    const { answer } = await harness.waitingPoll(me, { since, signal: controller.signal });
    controller.abort();
    assert.equal((await answer).rooms, undefined);
    const signal = AbortSignal.abort();
    assert.equal((await harness.poll(me, { since, signal })).rooms, undefined);
  });

  test('an initial sync and full_state do not wait', async () => {
    const harness = await openHarness(backend);
    const first = await harness.poll(me);
    assert.equal(first.rooms, undefined);
    await harness.poll(me, { since: first.next_batch, fullState: true });
  });

  test('all devices of a user are woken, and those of others in the room', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const devices = [me, viewer(ALICE, 'OTHER'), viewer(BOB)];
    const waiting = [];
    for (const device of devices) {
      const { next_batch: since } = await harness.sync(device);
      waiting.push(await harness.waitingPoll(device, { since }));
    }
    await harness.rooms.message(room, ALICE, 'all');
    for (const { answer } of waiting)
      assert.deepEqual(bodies((await answer).rooms.join[room]), ['all']);
  });

  test('what others do elsewhere does not end it', async () => {
    const harness = await openHarness(backend);
    await harness.rooms.createRoom(ALICE);
    const elsewhere = await harness.rooms.createRoom(BOB);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    await harness.rooms.message(elsewhere, BOB, 'elsewhere');
    await harness.settled();
    harness.clock.advance(TIME_IS_OVER);
    assert.equal((await answer).rooms, undefined);
  });

  test('an event that arrives between looking and waiting ends it', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    // A filter that drops the first event makes the request look, find nothing, and wait again.
    const filter = { room: { timeline: { types: ['m.room.message'] }, state: { types: [] } } };
    const { answer } = await harness.waitingPoll(me, { since, filter });
    let asked = 0;
    harness.users.beforeIgnored = async () => {
      asked += 1;
      if (asked > 1) return;
      await harness.rooms.message(room, ALICE, 'in between');
      await harness.settled();
    };
    await harness.rooms.send(room, { sender: ALICE, type: 'm.dropped', content: {} });
    assert.deepEqual(bodies((await answer).rooms.join[room]), ['in between']);
    assert.ok(asked >= 1);
  });

  test('a wait goes on over what the filter drops', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    const filter = { room: { timeline: { types: ['m.room.message'] }, state: { types: [] } } };
    const { answer } = await harness.waitingPoll(me, { since, filter });
    for (let n = 0; n < 20; n += 1) {
      await harness.rooms.send(room, { sender: ALICE, type: 'm.dropped', content: {} });
      await harness.settled();
    }
    await harness.rooms.message(room, ALICE, 'kept');
    const section = (await answer).rooms.join[room];
    assert.deepEqual(bodies(section), ['kept']);
    assert.equal(section.timeline.limited, false);
  });

  test('a message that wakes is told without reading the database, or asking the roomserver for it', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    harness.rooms.calls.clear();
    const reads = harness.countReads();
    await harness.rooms.message(room, ALICE, 'cheap');
    assert.deepEqual(bodies((await answer).rooms.join[room]), ['cheap']);
    assert.deepEqual(reads(), 0);
    assert.deepEqual([...harness.rooms.calls.keys()], []);
  });

  test('tokens hold across a restart; those from the future are refused', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await harness.start();
    await harness.rooms.message(room, ALICE, 'later');
    assert.deepEqual(bodies((await harness.sync(me, { since })).rooms.join[room]), ['later']);
    const token = parseSyncToken(since);
    const ahead = encodeSyncToken({ ...token, rooms: token.rooms + 1_000 });
    const refused = assert.rejects(
      harness.poll(me, { since: ahead }),
      (error: unknown) => error instanceof MatrixError && error.errcode === 'M_UNKNOWN_POS',
    );
    let isOver = false;
    const done = refused.finally(() => {
      isOver = true;
    });
    await until(() => {
      harness.clock.advance(1_000);
      return isOver;
    });
    await done;
  });
});
