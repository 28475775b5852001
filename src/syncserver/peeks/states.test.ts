// What peeks show where the state of the room takes other ways than event by event, and when room or device goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { ALICE, BOB, bodies, openHarness, types, viewer } from '../testing/harness.ts';
import { interestIn, LOOKER, type Looking, openLooking, peeksOf } from '../testing/looking.ts';

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
        for (const more of [
          {},
          { since },
          { since, fullState: true },
          { stateSection: 'state_after' as const },
        ]) {
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

  test('a look that is over wakes no other device of the user', async () => {
    const { harness, room } = await openLooking(backend, { graceMs: 86_400_000 });
    await harness.rooms.peek(room, LOOKER, { via: 'events', lifetimeMs: 600_000 });
    const other = viewer(LOOKER.userId, 'OTHER');
    await harness.sync(other);
    harness.clock.advance(3_600_000);
    const { next_batch: since } = await harness.sync(other);
    const { answer } = await harness.waitingPoll(other, { since });
    harness.clock.scheduled.length = 0;
    await harness.rooms.message(room, ALICE, 'for nobody');
    await harness.settled();
    assert.deepEqual(
      harness.clock.scheduled.filter((ms) => ms === 30_000),
      [],
    );
    harness.clock.advance(30_000);
    assert.equal((await answer).rooms, undefined);
    const ended = await harness.sync(LOOKER);
    assert.equal(ended.rooms, undefined);
  });

  const meanwhile: readonly (readonly [string, (of: Looking) => Promise<unknown>, string])[] = [
    ['closing', ({ harness, room }) => harness.rooms.setVisibility(room, 'joined'), 'leave'],
    ['unpeek', ({ harness, room }) => harness.rooms.unpeek(room, LOOKER), 'leave'],
    ['ban', ({ harness, room }) => harness.rooms.member(room, BOB, 'ban'), 'leave'],
    ['join', ({ harness, room }) => harness.rooms.member(room, BOB, 'join'), 'join'],
    ['expiry', async ({ harness }) => harness.clock.advance(3_600_000), 'leave'],
    ['purge', ({ harness, room }) => harness.rooms.purge(room), 'leave'],
  ];
  for (const [what, happen, section] of meanwhile) {
    test(`what happens while a sync is answered is told by the next one: ${what}`, async () => {
      const looking = await openLooking(backend);
      const { harness, room, since } = looking;
      await harness.rooms.message(room, ALICE, 'before');
      await harness.settled();
      let isDone = false;
      harness.users.beforeIgnored = async () => {
        if (isDone) return;
        isDone = true;
        await happen(looking);
        if (what !== 'purge') await harness.rooms.message(room, ALICE, 'SECRET');
        await harness.settled();
      };
      const first = await harness.sync(LOOKER, { since });
      assert.ok(isDone);
      assert.ok(!JSON.stringify(first).includes('SECRET'));
      if (what !== 'purge') assert.deepEqual(bodies(first.rooms.peek[room]), ['before']);
      const next = await harness.sync(LOOKER, { since: first.next_batch });
      assert.deepEqual(Object.keys(next.rooms), [section]);
      if (section === 'join') assert.deepEqual(types(next.rooms.join[room], 'state'), []);
      else assert.ok(!JSON.stringify(next).includes('SECRET'));
    });
  }
});
