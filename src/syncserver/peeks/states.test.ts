// What peeks show where the state of the room takes other ways than event by event, and when room or device goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { ALICE, bodies, openHarness, types } from '../testing/harness.ts';
import { interestIn, LOOKER, openLooking, peeksOf } from '../testing/looking.ts';

function closing() {
  const type = 'm.room.history_visibility';
  return { sender: ALICE, type, stateKey: '', content: { history_visibility: 'joined' } };
}

function topic(text: string) {
  return { sender: ALICE, type: 'm.room.topic', stateKey: '', content: { topic: text } };
}

forEachBackend('peeks and states', (backend) => {
  for (const reason of ['resolution', 'resync'] as const) {
    test(`a state that arrives at once (${reason}) and closes the room shows nothing of itself`, async () => {
      const { harness, room, since } = await openLooking(backend);
      await harness.rooms.message(room, ALICE, 'before');
      await harness.rooms.replaceState(room, closing(), reason);
      await harness.rooms.message(room, ALICE, 'after');
      const { rooms, next_batch: next } = await harness.sync(LOOKER, { since });
      assert.deepEqual(Object.keys(rooms), ['leave']);
      assert.deepEqual(bodies(rooms.leave[room]), ['before']);
      assert.deepEqual(types(rooms.leave[room], 'state'), []);
      assert.equal((await harness.sync(LOOKER, { since: next })).rooms, undefined);
    });
  }

  for (const lazy_load_members of [false, true]) {
    test(`a branch from a closed time shows nothing of it (lazy_load_members: ${lazy_load_members})`, async () => {
      const harness = await openHarness(backend);
      const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
      const rename = (displayname: string) =>
        harness.rooms.send(room, {
          sender: ALICE,
          type: 'm.room.member',
          stateKey: ALICE,
          content: { membership: 'join', displayname },
        });
      await harness.rooms.setVisibility(room, 'joined');
      await harness.rooms.send(room, topic('SECRET topic'));
      await rename('SECRET name');
      const { current: stateBefore } = harness.rooms.room(room);
      await harness.rooms.setVisibility(room, 'world_readable');
      await harness.rooms.send(room, topic('open topic'));
      await rename('open name');
      await harness.rooms.peek(room, LOOKER);
      const { next_batch: since } = await harness.sync(LOOKER);
      const say = (body: string) => ({
        sender: ALICE,
        type: 'm.room.message',
        content: { body },
        stateBefore,
      });
      const name = { sender: ALICE, type: 'm.room.name', stateKey: '', content: { name: 'New' } };
      await harness.rooms.send(room, say('SECRET message'));
      await harness.rooms.send(room, { ...name, stateBefore });
      await harness.rooms.message(room, ALICE, 'in the open');
      for (let limit = 0; limit <= 5; limit += 1) {
        const filter = { room: { timeline: { limit }, state: { lazy_load_members } } };
        for (const more of [{}, { since }, { since, fullState: true }, { useStateAfter: true }]) {
          const body = await harness.sync(LOOKER, { filter, ...more });
          assert.ok(!JSON.stringify(body).includes('SECRET'), `limit ${limit} ${more}`);
          assert.deepEqual(Object.keys(body.rooms), ['peek']);
        }
      }
    });
  }

  test('a state that changes without an event shows in state, and wakes', async () => {
    const { harness, room, since } = await openLooking(backend);
    const waiting = harness.poll(LOOKER, { since });
    await harness.rooms.replaceState(room, topic('resolved'));
    const { rooms, next_batch: next } = await waiting;
    assert.deepEqual(types(rooms.peek[room], 'state'), ['m.room.topic']);
    assert.deepEqual(types(rooms.peek[room]), []);
    await harness.rooms.replaceState(room, topic('anew'), 'resync');
    await harness.rooms.message(room, ALICE, 'from here on');
    const section = (await harness.sync(LOOKER, { since: next })).rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(bodies(section), ['from here on']);
    assert.deepEqual(types(section, 'state'), ['m.room.topic']);
  });

  test('a purged room is gone from sight: leave says so, and nothing of what was in it', async () => {
    const { harness, room, since } = await openLooking(backend);
    const waiting = harness.poll(LOOKER, { since });
    await harness.rooms.message(room, ALICE, 'gone');
    await harness.rooms.purge(room);
    await waiting;
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, { leave: { [room]: {} } });
    assert.deepEqual(await interestIn(harness.database), [{ room_id: room, wanted: 0 }]);
    await harness.start();
    const { rooms, next_batch: next } = await harness.sync(LOOKER, { since });
    assert.deepEqual(rooms, { leave: { [room]: {} } });
    assert.equal((await harness.sync(LOOKER, { since: next })).rooms, undefined);
    await until(async () => (await peeksOf(harness.database, LOOKER)).length === 0);
  });

  test('what ended before its room was purged has nothing to show any more', async () => {
    const { harness, room, since } = await openLooking(backend);
    await harness.rooms.message(room, ALICE, 'gone');
    await harness.rooms.unpeek(room, LOOKER);
    await harness.settled();
    await harness.rooms.purge(room);
    assert.deepEqual((await harness.sync(LOOKER, { since })).rooms, { leave: { [room]: {} } });
  });

  test('a peek that is logged after its device was deleted never begins', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
    const { next_batch: since } = await harness.sync(LOOKER);
    await harness.users.deleteDevice(LOOKER.userId, LOOKER.deviceId);
    await harness.settled();
    await harness.rooms.peek(room, LOOKER);
    assert.equal((await harness.sync(LOOKER, { since })).rooms, undefined);
    assert.deepEqual(await peeksOf(harness.database, LOOKER), []);
    assert.deepEqual(await interestIn(harness.database), []);
  });
});
