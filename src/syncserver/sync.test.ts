// /sync of rooms that somebody has joined, from the first message to gaps, state and filters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import { ALICE, BOB, bodies, openHarness, types, viewer } from './testing/harness.ts';

forEachBackend('sync', (backend) => {
  test('a new room is whole in an initial sync, and nothing of it in the next', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.message(room, ALICE, 'hello');
    const first = await harness.sync(viewer(ALICE));
    const section = first.rooms.join[room];
    assert.equal(section.timeline.events[0].type, 'm.room.create');
    assert.deepEqual(section.state.events, []);
    assert.equal(section.timeline.limited, false);
    assert.deepEqual(bodies(section), ['hello']);
    assert.deepEqual(section.summary, {
      'm.joined_member_count': 1,
      'm.invited_member_count': 0,
      'm.heroes': [],
    });
    const next = await harness.sync(viewer(ALICE), { since: first.next_batch });
    assert.equal(next.rooms, undefined);
  });

  test('a message is in the next incremental sync, once', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    await harness.rooms.message(room, ALICE, 'one');
    const second = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(bodies(second.rooms.join[room]), ['one']);
    assert.deepEqual(types(second.rooms.join[room], 'state'), []);
    assert.equal(second.rooms.join[room].timeline.limited, false);
    const again = await harness.sync(viewer(ALICE), { since });
    assert.deepEqual(again.rooms, second.rooms);
    const third = await harness.sync(viewer(ALICE), { since: second.next_batch });
    assert.equal(third.rooms, undefined);
  });

  test('a waiting device is woken by a message', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    const waiting = harness.poll(viewer(ALICE), { since });
    await harness.rooms.message(room, ALICE, 'wake up');
    assert.deepEqual(bodies((await waiting).rooms.join[room]), ['wake up']);
  });

  test('who joins gets the state, who was there gets the join', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    for (let n = 0; n < 12; n += 1) await harness.rooms.message(room, ALICE, `line ${n}`);
    const { next_batch: alice } = await harness.sync(viewer(ALICE));
    const { next_batch: bob } = await harness.sync(viewer(BOB));
    await harness.rooms.member(room, BOB, 'join');
    const there = (await harness.sync(viewer(ALICE), { since: alice })).rooms.join[room];
    assert.deepEqual(types(there), ['m.room.member']);
    const joined = (await harness.sync(viewer(BOB), { since: bob })).rooms.join[room];
    assert.equal(joined.timeline.limited, true);
    assert.deepEqual(types(joined, 'state').sort(), [
      'm.room.create',
      'm.room.history_visibility',
      'm.room.join_rules',
      'm.room.member',
      'm.room.power_levels',
    ]);
    assert.equal(joined.timeline.events.length, 10);
  });
});
