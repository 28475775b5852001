// What the receive pipeline does not accept, and what becomes of it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { noMissingEvents, type StateBefore } from '../../src/roomserver/input/missing-events.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { tampered } from './foreign-server.ts';
import { ALICE, BOB } from './harness.ts';
import { DAN, JOIN, message, setUp, THERE } from './scene.ts';

const ANOTHER_CREATE = {
  sender: ALICE,
  type: 'm.room.create',
  stateKey: '',
  content: { room_version: '11', type: 'another' },
  prevEvents: [],
  authEvents: [],
};

forEachBackend('refusals of input', (backend) => {
  it('drops what is no event, is not signed, or is of another room', async () => {
    const scene = await setUp(backend);
    const before = await scene.entries(scene.roomId);
    const good = await scene.make(message(DAN));
    const unsigned = tampered(good, { signatures: {} });
    const forged = tampered(good, { sender: ALICE });
    const otherRoom = await scene.make(message(DAN));
    const malformed: JsonObject[] = [
      { type: 7 },
      { depth: -1 },
      { depth: 1.5 },
      { prev_events: 'none' },
      { content: [] },
      { sender: 'dan' },
      { state_key: 'x'.repeat(256) },
      { content: { body: 'x'.repeat(70_000) } },
    ];
    for (const change of malformed) {
      const [fate] = await scene.input(tampered(good, change));
      assert.equal(fate?.fate, 'dropped', JSON.stringify(change).slice(0, 60));
      assert.ok(fate.rule === 'format', `${fate.rule} ${JSON.stringify(change).slice(0, 60)}`);
    }
    for (const event of [unsigned, forged, tampered(good, { origin_server_ts: 1 })]) {
      const [fate] = await scene.input(event);
      assert.ok(fate?.fate === 'dropped' && fate.rule === 'signature', JSON.stringify(fate));
    }
    const [fate] = await scene.input(tampered(otherRoom, { room_id: '!other:here.test' }));
    assert.ok(fate?.fate === 'dropped' && fate.rule === 'room');
    const nowhere = { roomId: '!none:here.test' as RoomId, origin: THERE, kind: 'new' } as const;
    const [unknown] = await scene.api.inputEvents({ ...nowhere, events: [good] });
    assert.equal(unknown?.fate, 'dropped');
    assert.deepEqual(await scene.entries(scene.roomId), before);
    assert.equal((await scene.input(good))[0]?.fate, 'accepted');
    await scene.close();
  });

  it('redacts what does not match its hash', async () => {
    const scene = await setUp(backend);
    const event = await scene.make(message(DAN, 'secret'));
    const altered = tampered(event, { content: { body: 'other' } });
    const [fate] = await scene.input(altered);
    assert.equal(fate?.fate, 'accepted');
    const [stored] = await scene.api.queryEvents({ eventIds: [event.eventId] });
    assert.deepEqual(stored?.json.content, {});
    assert.equal(stored?.redactedBecause, undefined);
    await scene.close();
  });

  for (const roomVersion of ['3', '10', '11', '12'] as const) {
    it(`takes no invite that nobody has signed, version ${roomVersion}`, async () => {
      const scene = await setUp(backend, { roomVersion });
      const evil = '@evil:there.test' as UserId;
      const invite = { sender: ALICE, type: 'm.room.member', stateKey: evil };
      const honest = await scene.make({ ...invite, content: { membership: 'invite' } });
      // Not matching its hash it is redacted, and of the third-party invite nothing is left to be judged.
      const forged = tampered(honest, {
        content: { membership: 'invite', third_party_invite: {} },
        hashes: { sha256: 'AAAA' },
        signatures: {},
      });
      const [fate] = await scene.input(forged);
      assert.notEqual(fate?.fate, 'accepted', JSON.stringify(fate));
      assert.equal(await scene.current('m.room.member', evil), undefined);
      await scene.close();
    });
  }

  it('takes an event once', async () => {
    const scene = await setUp(backend);
    const event = await scene.make(message(DAN));
    const fates = await Promise.all([scene.input(event), scene.input(event, event)]);
    const accepted = fates.flat().filter(({ fate }) => fate === 'accepted');
    assert.equal(new Set(accepted.map((fate) => JSON.stringify(fate))).size, 1);
    assert.deepEqual(await scene.input(event), [{ fate: 'duplicate', eventId: event.eventId }]);
    const entries = await scene.entries(scene.roomId);
    const times = entries.filter(
      (e) => e.kind === 'NewRoomEvent' && e.event.eventId === event.eventId,
    );
    assert.equal(times.length, 1);
    await scene.close();
  });

  it('drops what refers to events that cannot be had', async () => {
    const scene = await setUp(backend);
    const unknown = '$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as EventId;
    const lost = await scene.fateOf({ ...message(DAN), prevEvents: [unknown], authEvents: [] });
    assert.ok(lost.fate === 'dropped', JSON.stringify(lost));
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    const prevEvents = room?.forwardExtremities ?? [];
    const [create] = await scene.api.queryStateEvents({
      roomId: scene.roomId,
      keys: [{ type: 'm.room.create', stateKey: '' }],
    });
    const authEvents = [create?.eventId as EventId];
    const noPrev = await scene.fateOf({ ...message(DAN), prevEvents: [unknown, ...prevEvents] });
    assert.ok(noPrev.fate === 'dropped' && noPrev.rule === 'missing prev_events');
    const noAuth = await scene.fateOf({ ...message(DAN), authEvents: [...authEvents, unknown] });
    assert.ok(noAuth.fate === 'dropped' && noAuth.rule === 'missing auth_events');
    await scene.close();
  });

  it('rejects by auth events and by the state before, and lets others refer to the rejected', async () => {
    const scene = await setUp(backend);
    const stranger = '@eve:there.test' as UserId;
    const rejected = await scene.make(message(stranger));
    const [fate] = await scene.input(rejected);
    assert.ok(fate?.fate === 'rejected' && /^\d/.test(fate.rule), JSON.stringify(fate));
    assert.deepEqual(await scene.api.queryEvents({ eventIds: [rejected.eventId] }), []);
    const withSoftFailed = { eventIds: [rejected.eventId], includeSoftFailed: true };
    assert.deepEqual(await scene.api.queryEvents(withSoftFailed), []);

    const topic = { type: 'm.room.topic', stateKey: '', content: { topic: 'no' } };
    const weak = await scene.make({ sender: DAN, ...topic });
    assert.equal((await scene.input(weak))[0]?.fate, 'rejected');
    assert.equal(await scene.current('m.room.topic'), undefined);

    const extremities = (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities;
    const onTop = await scene.accept({ ...message(DAN), prevEvents: [weak.eventId] });
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    // The rejected event is no extremity, and neither is what came before it any more.
    assert.deepEqual(room?.forwardExtremities, [onTop.eventId]);
    assert.deepEqual(extremities?.length, 1);
    assert.equal(await scene.current('m.room.topic'), undefined);
    await scene.close();
  });

  it('rejects what rests on a rejected auth event', async () => {
    const scene = await setUp(backend);
    await scene.send(ALICE, 'm.room.join_rules', '', { join_rule: 'invite' });
    const eve = '@eve:there.test' as UserId;
    const base = (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities ?? [];
    const join = await scene.make({
      sender: eve,
      type: 'm.room.member',
      stateKey: eve,
      content: JOIN,
    });
    assert.equal((await scene.input(join))[0]?.fate, 'rejected');
    const ids = await scene.api.queryStateIds({ roomId: scene.roomId, members: 'none' });
    const authEvents = ids.entries
      .filter(({ type }) => type === 'm.room.create' || type === 'm.room.power_levels')
      .map(({ eventId }) => eventId);
    const fate = await scene.fateOf({
      ...message(eve),
      prevEvents: base,
      authEvents: [...authEvents, join.eventId],
    });
    assert.ok(fate.fate === 'rejected' && /rejected/.test(fate.reason), JSON.stringify(fate));
    await scene.close();
  });

  it('does not let a second m.room.create in', async () => {
    const scene = await setUp(backend);
    const fate = await scene.fateOf(ANOTHER_CREATE);
    assert.ok(fate.fate === 'dropped' && fate.rule === 'create', JSON.stringify(fate));
    await scene.close();
  });

  it('lets none in by way of what is said to have been before, either', async () => {
    const said: { state?: StateBefore } = {};
    const missingEvents = { ...noMissingEvents, stateBefore: async () => said.state };
    const scene = await setUp(backend, {}, { missingEvents });
    scene.clock.advance(1);
    const create = await scene.make(ANOTHER_CREATE);
    const toCreate = [create.eventId];
    const own = { sender: ALICE, type: 'm.room.member', stateKey: ALICE, content: JOIN };
    const join = await scene.make({ ...own, prevEvents: toCreate, authEvents: toCreate });
    const stateIds = [create.eventId, join.eventId];
    const past = { prevEvents: stateIds, authEvents: stateIds };
    const before = await scene.make({ ...message(ALICE), ...past });
    said.state = { stateIds, events: [create, join, before] };
    const fate = await scene.fateOf({ ...message(ALICE), prevEvents: [before.eventId] });
    assert.equal(fate.fate, 'dropped', JSON.stringify(fate));
    assert.notEqual(await scene.current('m.room.create'), create.eventId);
    await scene.close();
  });

  it('asks for a signature of the server that vouches for a restricted join', async () => {
    const allow = [{ type: 'm.room_membership', room_id: '!space:here.test' }];
    const scene = await setUp(backend, {
      state: [{ type: 'm.room.name', content: { name: 'x' } }],
    });
    const rule = { join_rule: 'restricted', allow };
    await scene.send(ALICE, 'm.room.join_rules', '', rule);
    const fay = '@fay:there.test' as UserId;
    const join = {
      sender: fay,
      type: 'm.room.member',
      stateKey: fay,
      content: { membership: 'join', join_authorised_via_users_server: ALICE },
    };
    const fate = await scene.fateOf(join);
    assert.equal(fate.fate, 'rejected', JSON.stringify(fate));
    await scene.close();
  });

  it('stores what is refused, so that it is refused but once', async () => {
    const scene = await setUp(backend);
    const rejected = await scene.make(message('@eve:there.test' as UserId));
    await scene.input(rejected);
    await scene.close();
    const record = await scene.context.events.get(rejected.eventId).catch(() => undefined);
    assert.equal(record?.standing, 'rejected');
    assert.ok(record.reason);
  });

  it('takes events of one call in the order of their references, and answers in that of the call', async () => {
    const scene = await setUp(backend);
    const first = await scene.make(message(DAN, 'first'));
    const second = await scene.make({
      ...message(DAN, 'second'),
      prevEvents: [first.eventId],
      depth: 100,
    });
    const third = await scene.make({
      ...message(DAN, 'third'),
      prevEvents: [second.eventId],
      depth: 101,
    });
    const fates = await scene.input(third, first, second);
    assert.deepEqual(
      fates.map(({ fate, eventId }) => [fate, eventId]),
      [third, first, second].map(({ eventId }) => ['accepted', eventId]),
    );
    const room = await scene.api.queryRoom({ roomId: scene.roomId });
    assert.deepEqual(room?.forwardExtremities, [third.eventId]);
    const told = (await scene.entries(scene.roomId)).slice(-3);
    assert.deepEqual(
      told.map((entry) => entry.kind === 'NewRoomEvent' && entry.event.eventId),
      [first, second, third].map(({ eventId }) => eventId),
    );
    await scene.close();
  });

  it('takes an event in the name of our own users only with our signature', async () => {
    const scene = await setUp(backend);
    const good = await scene.make({
      sender: BOB,
      type: 'm.room.member',
      stateKey: BOB,
      content: JOIN,
    });
    const forged = tampered(good, { signatures: { [THERE]: good.json.signatures?.['here.test'] } });
    const [fate] = await scene.input(forged);
    assert.equal(fate?.fate, 'dropped');
    assert.equal((await scene.input(good))[0]?.fate, 'accepted');
    const rooms = await scene.api.queryRoomsOfUser({ userId: BOB, memberships: ['join'] });
    assert.deepEqual(
      rooms.map(({ roomId }) => roomId),
      [scene.roomId],
    );
    await scene.close();
  });
});
