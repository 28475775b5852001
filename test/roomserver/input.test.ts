// The receive pipeline: events of other servers with any prev_events.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pdu } from '../../src/protocol/events/pdu.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { receiveEvent } from '../../src/roomserver/input/receive-event.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE } from './harness.ts';
import { DAN, message, setUp, THERE } from './scene.ts';

const VERSIONS: readonly RoomVersionId[] = ['1', '2', '5', '11', '12'];

forEachBackend('input', (backend) => {
  for (const roomVersion of VERSIONS) {
    it(`accepts events and forks in a room of version ${roomVersion}`, async () => {
      const scene = await setUp(backend, { roomVersion });
      const base = await scene.accept(message(DAN));
      const left = await scene.accept({ ...message(DAN, 'left'), prevEvents: [base.eventId] });
      const right = await scene.accept({ ...message(DAN, 'right'), prevEvents: [base.eventId] });
      const room = await scene.api.queryRoom({ roomId: scene.roomId });
      assert.deepEqual(room?.forwardExtremities, [left.eventId, right.eventId]);
      const told = (await scene.entries(scene.roomId)).slice(-2);
      assert.deepEqual(
        told.map((entry) => entry.kind === 'NewRoomEvent' && entry.extremities),
        [undefined, room?.forwardExtremities],
      );
      const merging = await scene.send(ALICE, 'm.room.topic', '', { topic: 'one again' });
      const [merged] = await scene.api.queryEvents({ eventIds: [merging] });
      const pdu = merged && Pdu.from(merged);
      assert.deepEqual(pdu?.prevEvents, [left.eventId, right.eventId]);
      const after = await scene.api.queryRoom({ roomId: scene.roomId });
      assert.deepEqual(after?.forwardExtremities, [merging]);
      assert.equal(await scene.current('m.room.topic'), merging);
      await scene.close();
    });

    it(`lets a ban win over what the banned does on a fork, version ${roomVersion}`, async () => {
      const scene = await setUp(backend, { roomVersion });
      const levels = { users: { [DAN]: 50, ...(roomVersion === '12' ? {} : { [ALICE]: 100 }) } };
      await scene.send(ALICE, 'm.room.power_levels', '', levels);
      const fork = (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities ?? [];
      await scene.send(ALICE, 'm.room.member', DAN, { membership: 'ban' });
      const topic = { sender: DAN, type: 'm.room.topic', stateKey: '', content: { topic: 'mine' } };
      const evading = await scene.make({ ...topic, prevEvents: fork });
      const [fate] = await scene.input(evading);
      assert.equal(fate?.fate, 'softFailed', JSON.stringify(fate));
      assert.equal(await scene.current('m.room.topic'), undefined);
      const room = await scene.api.queryRoom({ roomId: scene.roomId });
      assert.equal(room?.forwardExtremities.includes(evading.eventId), false);
      assert.deepEqual(await scene.api.queryEvents({ eventIds: [evading.eventId] }), []);
      const shown = { eventIds: [evading.eventId], includeSoftFailed: true };
      assert.equal((await scene.api.queryEvents(shown)).length, 1);
      await scene.close();
    });
  }

  it('resolves the state of a fork, and tells the log what changed', async () => {
    const scene = await setUp(backend);
    await scene.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100, [DAN]: 50 } });
    const base = await scene.accept(message(DAN));
    const mine = await scene.send(ALICE, 'm.room.topic', '', { topic: 'ours' });
    scene.clock.advance(1000);
    const theirs = await scene.accept({
      sender: DAN,
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'theirs' },
      prevEvents: [base.eventId],
    });
    // By the mainline and then the time, the later topic comes last.
    assert.equal(await scene.current('m.room.topic'), theirs.eventId);
    const entry = (await scene.entries(scene.roomId)).at(-1);
    assert.ok(entry?.kind === 'NewRoomEvent');
    assert.deepEqual(entry.stateChanges, [
      {
        type: 'm.room.topic',
        stateKey: '',
        eventId: theirs.eventId,
        replacedEventId: mine,
        sender: DAN,
      },
    ]);
    assert.equal(entry.sendAs, undefined);
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    assert.equal(entry.currentState, room?.currentState);
    await scene.close();
  });

  it('brings many extremities together, at most 20 with one event', async () => {
    const scene = await setUp(backend);
    const base = await scene.accept(message(DAN));
    const fork = { prevEvents: [base.eventId] };
    for (let n = 0; n < 25; n++) await scene.accept({ ...message(DAN, String(n)), ...fork });
    const count = async () =>
      (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities.length;
    assert.equal(await count(), 25);
    await scene.send(ALICE, 'm.room.topic', '', { topic: 'x' });
    assert.equal(await count(), 6);
    const name = await scene.send(ALICE, 'm.room.name', '', { name: 'x' });
    assert.equal(await count(), 1);
    const [last] = await scene.api.queryEvents({ eventIds: [name] });
    assert.equal(last && Pdu.from(last).prevEvents.length, 6);
    await scene.close();
  });

  it('counts what comes before a soft-failed event as referred to by what comes after it', async () => {
    const scene = await setUp(backend);
    await scene.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100, [DAN]: 50 } });
    const base = await scene.accept(message(DAN));
    const fork = await scene.accept({ ...message(DAN, 'fork'), prevEvents: [base.eventId] });
    await scene.send(ALICE, 'm.room.message', 'not a message', {});
    await scene.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100 } });
    const topic = { sender: DAN, type: 'm.room.topic', stateKey: '', content: { topic: 'late' } };
    const late = await scene.make({ ...topic, prevEvents: [fork.eventId] });
    assert.equal((await scene.input(late))[0]?.fate, 'softFailed');
    const current = (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities ?? [];
    assert.equal(current.includes(late.eventId), false);
    const after = await scene.accept({ ...message(DAN), prevEvents: [...current, late.eventId] });
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    assert.deepEqual(room?.forwardExtremities, [after.eventId]);
    await scene.close();
  });

  it('does not walk over refused events without end', async () => {
    const scene = await setUp(backend);
    const { eventId: base } = await scene.accept(message(DAN));
    let last = base;
    const refused = { sender: DAN, type: 'm.room.topic', stateKey: '', content: {} };
    for (let batch = 0; batch < 11; batch++) {
      const chain: Pdu[] = [];
      for (let n = 0; n < 100; n++) {
        chain.push(await scene.make({ ...refused, prevEvents: [chain.at(-1)?.eventId ?? last] }));
      }
      const fates = await scene.input(...chain);
      assert.ok(fates.every(({ fate }) => fate === 'rejected'));
      last = chain.at(-1)?.eventId ?? last;
    }
    const after = await scene.accept({ ...message(DAN), prevEvents: [last] });
    const ends = async () =>
      (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities;
    assert.deepEqual(await ends(), [base, after.eventId]);
    const own = await scene.send(ALICE, 'm.room.topic', '', { topic: 'x' });
    assert.deepEqual(await ends(), [own]);
    await scene.close();
  });

  it('gives the same state whatever the order in which a fork arrives', async () => {
    const states = new Set<string>();
    const scene = await setUp(backend);
    await scene.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100, [DAN]: 50 } });
    const base = await scene.accept(message(DAN));
    const fork = { prevEvents: [base.eventId], sender: DAN };
    const topic = (body: string) => ({
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: body },
    });
    const events: Pdu[] = [];
    for (const body of ['a', 'b', 'c', 'd']) {
      scene.clock.advance(10);
      events.push(await scene.make({ ...fork, ...topic(body) }));
    }
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const work = scene.context.rooms.change(scene.roomId, async (room) => {
        for (const index of order) {
          const event = { pdu: events[index] as Pdu, signedBy: new Set([THERE]) };
          const arrival = { event, kind: 'new', statesAfter: new Map() } as const;
          assert.equal((await receiveEvent(scene.context, room, arrival)).fate, 'accepted');
        }
        states.add(room.head.currentState);
        throw new Error('undone');
      });
      await assert.rejects(work, { message: 'undone' });
    }
    await scene.close();
    assert.equal(states.size, 1);
  });

  for (const [name, wordless, fates] of [
    ['comes late', {}, ['accepted', 'accepted', 'accepted']],
    ['is refused', { type: 'm.room.topic', stateKey: '' }, ['rejected', 'accepted', 'accepted']],
  ] as const) {
    it(`leaves no extremity that others refer to by way of what ${name}`, async () => {
      const scene = await setUp(backend);
      const { context, roomId } = scene;
      const base = await scene.accept(message(DAN));
      const first = await scene.make({ ...message(DAN, 'first'), prevEvents: [base.eventId] });
      const between = await scene.make({
        ...message(DAN, 'between'),
        ...wordless,
        prevEvents: [first.eventId],
      });
      const last = await scene.make({ ...message(DAN, 'last'), prevEvents: [between.eventId] });
      const refused = name === 'is refused';
      const order = refused ? [between, last, first] : [last, first, between];
      const found: string[] = [];
      for (const pdu of order) {
        const work = context.rooms.change(roomId, (room) => {
          const event = { pdu, signedBy: new Set([THERE]) };
          const [prev] = pdu.prevEvents;
          const isMissing = pdu === order[0] && prev !== undefined;
          const statesAfter = new Map(isMissing ? [[prev, room.head.currentState]] : []);
          return receiveEvent(context, room, { event, kind: 'new', statesAfter });
        });
        found.push((await work).value.fate);
      }
      assert.deepEqual(found, fates);
      const room = await scene.api.queryRoom({ roomId });
      assert.deepEqual(room?.forwardExtremities, [last.eventId]);
      await scene.close();
    });
  }
});
