// States that arrive at once, and events whose history is not here.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, UserId } from '../../src/protocol/identifiers.ts';
import { type MissingEvents, noMissingEvents } from '../../src/roomserver/input/missing-events.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { tampered } from './foreign-server.ts';
import { ALICE, makeRoom } from './harness.ts';
import { DAN, JOIN, message, THERE } from './scene.ts';
import { type Snapshot, setUpBoth, snapshotOf } from './snapshot-scene.ts';

forEachBackend('states that arrive', (backend) => {
  for (const roomVersion of ['1', '11', '12'] as const) {
    it(`takes a state, and events after it, version ${roomVersion}`, async () => {
      const { there, local, roomId, inputState, input, close } = await setUpBoth(backend, {
        roomVersion,
      });
      await there.send(ALICE, 'm.room.history_visibility', '', {
        history_visibility: 'world_readable',
      });
      const { position } = await inputState(await snapshotOf(there));
      const expected = await there.api.queryRoom({ roomId });
      const room = await local.api.queryRoom({ roomId });
      assert.deepEqual(room, { ...expected, isResident: false });
      const [entry, last, ...more] = await local.entries(roomId);
      assert.deepEqual(more, []);
      assert.ok(entry?.kind === 'StateReplaced');
      // The timeline begins with the last that was said.
      assert.ok(last?.kind === 'NewRoomEvent');
      assert.deepEqual([last.event.eventId], room?.forwardExtremities);
      assert.deepEqual([last.stateChanges, last.sendAs], [[], undefined]);
      assert.equal(last.position, position);
      assert.deepEqual(
        [entry.reason, entry.roomVersion, entry.currentVisibility, entry.currentState],
        ['peek', roomVersion, 'world_readable', room?.currentState],
      );
      const joins = entry.stateChanges.filter(({ membership }) => membership === 'join');
      assert.deepEqual(joins.map(({ stateKey }) => stateKey).sort(), [ALICE, DAN]);
      assert.ok(entry.stateChanges.every(({ replacedEventId }) => replacedEventId === undefined));

      const topic = await there.send(ALICE, 'm.room.topic', '', { topic: 'after' });
      const hello = await there.accept(message(DAN));
      const records = await there.context.events.load([topic, hello.eventId]);
      const fates = await input(...[...records.values()].map(({ pdu }) => pdu));
      assert.deepEqual(
        fates.map(({ fate }) => fate),
        ['accepted', 'accepted'],
      );
      const after = await there.api.queryRoom({ roomId });
      assert.deepEqual(await local.api.queryRoom({ roomId }), { ...after, isResident: false });
      await close();
    });
  }

  it('resolves the states of several extremities', async () => {
    const { there, local, roomId, inputState, close } = await setUpBoth(backend);
    await there.send(ALICE, 'm.room.power_levels', '', { users: { [ALICE]: 100, [DAN]: 50 } });
    const base = await there.accept(message(DAN));
    for (const topic of ['left', 'right']) {
      there.clock.advance(10);
      const content = { topic };
      await there.accept({
        sender: DAN,
        type: 'm.room.topic',
        stateKey: '',
        content,
        prevEvents: [base.eventId],
      });
    }
    const snapshot = await snapshotOf(there);
    assert.equal(snapshot.extremities.length, 2);
    await inputState(snapshot);
    assert.equal(
      (await local.api.queryRoom({ roomId }))?.currentState,
      (await there.api.queryRoom({ roomId }))?.currentState,
    );
    await close();
  });

  it('replaces what was there by what arrives', async () => {
    const { there, local, roomId, inputState, close } = await setUpBoth(backend);
    await inputState(await snapshotOf(there));
    const old = await there.current('m.room.power_levels');
    const levels = await there.send(ALICE, 'm.room.power_levels', '', {
      users: { [ALICE]: 100 },
      ban: 60,
    });
    const left = await there.accept({
      sender: DAN,
      type: 'm.room.member',
      stateKey: DAN,
      content: { membership: 'leave' },
    });
    await inputState(await snapshotOf(there), 'resync');
    const entry = (await local.entries(roomId)).at(-2);
    assert.ok(entry?.kind === 'StateReplaced' && entry.reason === 'resync');
    assert.deepEqual(
      entry.stateChanges.map(({ type, eventId, replacedEventId }) => [
        type,
        eventId,
        replacedEventId,
      ]),
      [
        ['m.room.power_levels', levels, old],
        ['m.room.member', left.eventId, entry.stateChanges[1]?.replacedEventId],
      ],
    );
    assert.equal(entry.stateChanges[1]?.previousMembership, 'join');
    assert.equal((await local.api.queryRoom({ roomId }))?.joinedMembers, 1);
    await close();
  });

  it('takes nothing of a state that does not validate', async () => {
    const { there, local, roomId, inputState, close } = await setUpBoth(backend);
    await there.send(ALICE, 'm.room.topic', '', { topic: 'true' });
    const snapshot = await snapshotOf(there);
    const without = (type: string): Snapshot => ({
      ...snapshot,
      events: snapshot.events.filter(({ json }) => json.type !== type),
    });
    const forged = (type: string): Snapshot => ({
      ...snapshot,
      events: snapshot.events.map((event) =>
        event.json.type === type ? tampered(event, { sender: DAN }) : event,
      ),
    });
    const eve = '@eve:there.test' as UserId;
    const intruder = await there.make({
      sender: eve,
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'mine' },
    });
    const [extremity] = snapshot.extremities;
    const intruded: Snapshot = {
      extremities: [
        { ...extremity, stateAfter: [...(extremity?.stateAfter ?? []), intruder.eventId] },
      ] as never,
      events: [...snapshot.events, intruder],
    };
    const attempts = [
      without('m.room.create'),
      without('m.room.topic'),
      forged('m.room.topic'),
      intruded,
    ];
    for (const attempt of attempts) {
      await assert.rejects(inputState(attempt), { errcode: 'M_FORBIDDEN' });
    }
    assert.equal(await local.api.queryRoom({ roomId }), undefined);
    assert.deepEqual(await local.entries(roomId), []);
    await inputState(snapshot);
    assert.ok(await local.api.queryRoom({ roomId }));
    await close();
  });

  it('fills a gap before an event from those who have it', async () => {
    const held = new Map<EventId, Pdu>();
    const asked: string[] = [];
    const missingEvents: MissingEvents = {
      ...noMissingEvents,
      gap: async () => {
        asked.push('gap');
        return { events: [...held.values()], isFinal: true };
      },
      authEvents: async () => {
        asked.push('auth events');
        return [];
      },
    };
    const { there, local, roomId, inputState, input, close } = await setUpBoth(backend, {
      missingEvents,
    });
    await inputState(await snapshotOf(there));
    for (const body of ['one', 'two', 'three']) {
      const event = await there.accept(message(DAN, body));
      held.set(event.eventId, event);
    }
    const last = [...held.values()].at(-1) as Pdu;
    held.delete(last.eventId);
    const [fate] = await input(last);
    assert.equal(fate?.fate, 'accepted', JSON.stringify(fate));
    assert.deepEqual(asked, ['gap']);
    const told = (await local.entries(roomId)).slice(2);
    assert.deepEqual(
      told.map((entry) => entry.kind === 'NewRoomEvent' && entry.event.json.content.body),
      ['one', 'two', 'three'],
    );
    await close();
  });

  it('asks for auth events that it lacks', async () => {
    const held = new Map<EventId, Pdu>();
    const missingEvents: MissingEvents = {
      ...noMissingEvents,
      authEvents: async ({ eventIds }) => eventIds.flatMap((id) => held.get(id) ?? []),
    };
    const { there, local, inputState, input, close } = await setUpBoth(backend, { missingEvents });
    await inputState(await snapshotOf(there));
    const start = (await there.api.queryRoom({ roomId: there.roomId }))?.forwardExtremities ?? [];
    const fay = '@fay:there.test' as UserId;
    const join = await there.accept({
      sender: fay,
      type: 'm.room.member',
      stateKey: fay,
      content: JOIN,
    });
    held.set(join.eventId, join);
    const fork = await there.make({ ...message(fay), prevEvents: [join.eventId] });
    // Its join is no ancestor of this one, so that it is rejected: but first its auth events have to be had.
    const astray = await there.make({
      ...message(fay),
      prevEvents: start,
      authEvents: Pdu.from(fork).authEvents,
    });
    const [fate] = await input(astray);
    assert.equal(fate?.fate, 'rejected', JSON.stringify(fate));
    const stored = await local.context.events.get(join.eventId);
    assert.equal(stored?.standing, 'outlier');
    // An outlier takes its place when it comes in the ordinary way.
    assert.deepEqual(
      (await input(join, fork)).map((result) => result.fate),
      ['accepted', 'accepted'],
    );
    assert.equal((await local.context.events.get(join.eventId))?.standing, 'accepted');
    await close();
  });

  it('takes history before what it has, and an event whose past cannot be had, by the state given', async () => {
    const states = new Map<EventId, Snapshot>();
    const missingEvents: MissingEvents = {
      ...noMissingEvents,
      stateBefore: async ({ eventId }) => {
        const snapshot = states.get(eventId);
        const [extremity] = snapshot?.extremities ?? [];
        return snapshot && extremity && { stateIds: extremity.stateAfter, events: snapshot.events };
      },
    };
    const { there, local, roomId, inputState, input, close } = await setUpBoth(backend, {
      missingEvents,
    });
    const past = await snapshotOf(there);
    const before = await there.accept(message(DAN, 'before'));
    states.set(before.eventId, past);
    await there.accept(message(DAN, 'now'));
    await inputState(await snapshotOf(there));
    const head = await local.api.queryRoom({ roomId });
    const [old] = await local.api.inputEvents({
      roomId,
      origin: THERE,
      events: [before],
      kind: 'old',
    });
    assert.equal(old?.fate, 'accepted', JSON.stringify(old));
    assert.deepEqual(await local.api.queryRoom({ roomId }), head);
    const entry = (await local.entries(roomId)).at(-1);
    assert.ok(entry?.kind === 'OldRoomEvent');
    assert.equal(entry.event.eventId, before.eventId);
    assert.equal(entry.visibilityAtEvent, 'shared');

    const lost = await there.accept(message(DAN, 'lost'));
    const around = await snapshotOf(there);
    const after = await there.accept(message(DAN, 'after'));
    assert.equal((await input(after))[0]?.fate, 'dropped');
    states.set(after.eventId, around);
    assert.equal((await input(after))[0]?.fate, 'accepted');
    const forked = await local.api.queryRoom({ roomId });
    assert.equal(forked?.forwardExtremities.length, 2);
    // What comes late is no end of the room: others refer to it.
    assert.equal((await input(lost))[0]?.fate, 'accepted');
    const closed = await local.api.queryRoom({ roomId });
    assert.equal(closed?.forwardExtremities.includes(lost.eventId), false);
    await close();
  });

  it('takes an event that refers to one of another room by the state given, as where that is not here', async () => {
    const states = new Map<EventId, Snapshot>();
    const asked: EventId[] = [];
    const missingEvents: MissingEvents = {
      ...noMissingEvents,
      stateBefore: async ({ eventId }) => {
        asked.push(eventId);
        const snapshot = states.get(eventId);
        const [extremity] = snapshot?.extremities ?? [];
        return snapshot && extremity && { stateIds: extremity.stateAfter, events: snapshot.events };
      },
    };
    const { there, local, input, inputState, close } = await setUpBoth(backend, { missingEvents });
    await inputState(await snapshotOf(there));
    const other = await makeRoom(local, { creator: '@lena:local.test' as UserId });
    const [elsewhere] = (await local.api.queryRoom({ roomId: other }))?.forwardExtremities ?? [];
    assert.ok(elsewhere);
    const strayed = await there.make({ ...message(DAN, 'strayed'), prevEvents: [elsewhere] });
    assert.equal((await input(strayed))[0]?.fate, 'dropped');
    assert.deepEqual(asked, [elsewhere, strayed.eventId]);
    states.set(strayed.eventId, await snapshotOf(there));
    assert.equal((await input(strayed))[0]?.fate, 'accepted');
    await close();
  });

  it('takes a state of 2,000 members in one entry, and the last event in another', async () => {
    const { there, local, roomId, inputState, close } = await setUpBoth(backend);
    const users = Array.from({ length: 2_000 }, (_, n) => `@user${n}:here.test` as UserId);
    const joins = users.map((userId) =>
      there.api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} }),
    );
    await Promise.all(joins);
    await inputState(await snapshotOf(there), 'join');
    const room = await local.api.queryRoom({ roomId });
    assert.equal(room?.joinedMembers, 2_002);
    assert.equal(room?.currentState, (await there.api.queryRoom({ roomId }))?.currentState);
    const [entry, last, ...more] = await local.entries(roomId);
    assert.ok(entry?.kind === 'StateReplaced' && more.length === 0);
    assert.equal(last?.kind, 'NewRoomEvent');
    const none = await local.api.queryStateIds({ roomId, members: 'none' });
    assert.deepEqual(none.entries.map(({ type }) => type).sort(), [
      'm.room.create',
      'm.room.join_rules',
      'm.room.power_levels',
    ]);
    await close();
  });
});
