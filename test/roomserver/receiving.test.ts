// What other servers send: staged before it is answered, received in the background, and never twice.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pdu } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import { type JsonObject, parseJsonExactly } from '../../src/protocol/json.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { signPdu } from '../../src/protocol/signing.ts';
import type { MissingEvents, StateBefore } from '../../src/roomserver/input/missing-events.ts';
import { StagedWorker } from '../../src/roomserver/receiving/staged-worker.ts';
import { selectBacklogs } from '../../src/roomserver/store/staged-pdus.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { foreignEvent, tampered } from './foreign-server.ts';
import { ALICE, makeRoom } from './harness.ts';
import { DAN, message, type Scene, setUp, THERE } from './scene.ts';

function receive({ api }: Scene, pdus: readonly (Pdu | JsonObject)[], origin = THERE) {
  return api.performReceivePdus({
    origin,
    transactionId: 't',
    pdus: pdus.map((pdu) => (pdu instanceof Pdu ? pdu.json : pdu)),
  });
}

async function standingOf({ context }: Scene, eventId: EventId) {
  return (await context.events.get(eventId))?.standing;
}

/** One after the other, each after the one before. */
async function chain(scene: Scene, length: number): Promise<Pdu[]> {
  const [start] = (await scene.api.queryRoom({ roomId: scene.roomId }))?.forwardExtremities ?? [];
  const pdus: Pdu[] = [];
  for (let i = 0; i < length; i++) {
    const before = pdus.at(-1)?.eventId ?? start;
    const prevEvents = [before as EventId];
    pdus.push(await scene.make({ ...message(DAN, `${i}`), prevEvents, depth: 100 + i }));
  }
  return pdus;
}

forEachBackend('receiving transactions', (backend) => {
  it('receives what is sent, once, and tells of what cannot be', async () => {
    const scene = await setUp(backend);
    const { context, roomId } = scene;
    const good = await scene.make(message(DAN));
    const forged = tampered(await scene.make(message(DAN, 'other')), { sender: ALICE });
    const elsewhere = { ...good.json, room_id: '!unknown:there.test', event_id: '$claimed' };
    const { results } = await receive(scene, [good, forged, elsewhere, { room_id: 7 }, good]);
    assert.deepEqual(results[good.eventId], {});
    assert.match(results['$claimed' as EventId]?.error ?? '', /does not take part/);
    const errors = Object.values(results).filter(({ error }) => error !== undefined);
    assert.equal(errors.length, 2);
    await context.staged.idle();
    assert.equal(await standingOf(scene, good.eventId), 'accepted');
    assert.deepEqual(await selectBacklogs(scene.database), []);
    const { length } = await scene.entries(roomId);
    assert.deepEqual((await receive(scene, [good])).results, { [good.eventId]: {} });
    await context.staged.idle();
    assert.equal((await scene.entries(roomId)).length, length);
    await scene.close();
  });

  it('stages what waits, and receives it after a restart', async () => {
    const scene = await setUp(backend);
    const pdus = await chain(scene, 5);
    await scene.context.staged.close();
    await receive(scene, pdus);
    const [backlog] = await selectBacklogs(scene.database);
    assert.deepEqual([backlog?.origin, backlog?.count], [THERE, 5]);
    assert.equal(await standingOf(scene, pdus[0]?.eventId as EventId), undefined);
    const next = new StagedWorker(() => ({ ...scene.context, staged: next }));
    await next.start();
    await next.idle();
    for (const { eventId } of pdus) assert.equal(await standingOf(scene, eventId), 'accepted');
    assert.deepEqual(await selectBacklogs(scene.database), []);
    await scene.close();
  });

  it('applies the ACL of the room to each event', async () => {
    const scene = await setUp(backend);
    const other = await makeRoom(scene);
    const inOther = await foreignEvent(scene, scene.keys, { roomId: other, ...message(DAN) });
    const event = await scene.make(message(DAN));
    await scene.send(ALICE, 'm.room.server_acl', '', { allow: ['*'], deny: ['there.*'] });
    const { results } = await receive(scene, [event, inOther]);
    assert.match(results[event.eventId]?.error ?? '', /take part/);
    // Dan is not in the other room: that is for the pipeline to find out.
    assert.deepEqual(results[inOther.eventId], {});
    await scene.context.staged.idle();
    assert.equal(await standingOf(scene, event.eventId), undefined);
    assert.equal(await standingOf(scene, inOther.eventId), 'rejected');
    await scene.close();
  });

  it('keeps what is refused, and tells nobody of it', async () => {
    const scene = await setUp(backend);
    const { length } = await scene.entries(scene.roomId);
    const before = await scene.make(message(DAN, 'from before the ban'));
    await scene.send(ALICE, 'm.room.member', DAN, { membership: 'ban' });
    const after = await scene.make(message(DAN, 'in spite of it'));
    await receive(scene, [before, after]);
    await scene.context.staged.idle();
    assert.equal(await standingOf(scene, before.eventId), 'softFailed');
    assert.equal(await standingOf(scene, after.eventId), 'rejected');
    assert.equal((await scene.entries(scene.roomId)).length, length + 1);
    await scene.close();
  });

  it('takes no more than a room and a server may have waiting', async () => {
    const scene = await setUp(backend);
    const { staged } = scene.context;
    staged.backlog.add(scene.roomId, THERE, 999);
    const [first, second] = await chain(scene, 2);
    assert.ok(first && second);
    const { results } = await receive(scene, [first, second]);
    assert.deepEqual(results[first.eventId], {});
    assert.match(results[second.eventId]?.error ?? '', /M_LIMIT_EXCEEDED/);
    await staged.idle();
    staged.backlog.remove(scene.roomId, THERE, 1000);
    assert.deepEqual((await receive(scene, [second])).results, { [second.eventId]: {} });
    await staged.idle();
    assert.equal(await standingOf(scene, second.eventId), 'accepted');
    const tooMany = Array.from({ length: 51 }, () => first);
    await assert.rejects(receive(scene, tooMany), { errcode: 'M_TOO_LARGE' });
    await scene.close();
  });

  it('takes turns between rooms, and between the servers of a room', async () => {
    const scene = await setUp(backend);
    const { backlog } = scene.context.staged;
    const [a, b] = ['a.test', 'b.test'] as ServerName[] as [ServerName, ServerName];
    const room = '!r:a.test' as RoomId;
    backlog.add(room, a, 100);
    backlog.add(room, b, 1);
    assert.equal(backlog.nextOrigin(room), a);
    backlog.remove(room, a, 50);
    backlog.passTurn(room, a);
    assert.equal(backlog.nextOrigin(room), b);
    backlog.remove(room, b, 1);
    assert.equal(backlog.nextOrigin(room), a);
    backlog.remove(room, a, 1000);
    assert.equal(backlog.nextOrigin(room), undefined);
    assert.deepEqual([...backlog.rooms()], []);
    await scene.close();
  });

  it('gives up an event that the pipeline cannot cope with, not those beside it', async () => {
    const scene = await setUp(backend);
    const [first, second] = await chain(scene, 2);
    assert.ok(first && second);
    const { events } = scene.context;
    const get = events.get.bind(events);
    events.get = async (id) => {
      if (id === second.eventId) throw new Error('cannot be coped with');
      return get(id);
    };
    await receive(scene, [second, first]);
    await scene.context.staged.idle();
    events.get = get;
    assert.equal(await standingOf(scene, first.eventId), 'accepted');
    assert.equal(await standingOf(scene, second.eventId), undefined);
    assert.deepEqual(await selectBacklogs(scene.database), []);
    await scene.close();
  });

  it('keeps numbers of old room versions as they are written', async () => {
    const scene = await setUp(backend, { roomVersion: '5' });
    const content = parseJsonExactly(
      '{"msgtype":"m.text","body":"x","n":1.50,"big":9007199254740993}',
    );
    const event = await scene.make({ ...message(DAN), content: content as JsonObject });
    const overTheWire = parseJsonExactly(JSON.stringify(event.json)) as JsonObject;
    assert.deepEqual((await receive(scene, [overTheWire])).results, { [event.eventId]: {} });
    await scene.context.staged.idle();
    const stored = await scene.context.events.get(event.eventId);
    assert.equal(stored?.standing, 'accepted');
    assert.match(stored?.pdu.jsonText ?? '', /"n":1\.50/);
    assert.match(stored?.pdu.jsonText ?? '', /9007199254740993/);
    await scene.close();
  });

  it('does not reject for good what cannot be verified now', async () => {
    const state = [
      { type: 'm.room.join_rules', content: { join_rule: 'restricted', allow: [] } },
      { type: 'm.room.member', stateKey: DAN, content: { membership: 'invite' } },
    ];
    const scene = await setUp(backend, { roomVersion: '10', state });
    const { keys } = scene;
    const signer = keys.of('there.test');
    const eve = '@eve:else.test' as UserId;
    const content = { membership: 'join', join_authorised_via_users_server: DAN };
    const event = await scene.make({ sender: eve, type: 'm.room.member', stateKey: eve, content });
    const json = signPdu(event.json, rulesOf('10'), { serverName: THERE, key: signer });
    keys.forget('there.test');
    const { results } = await receive(scene, [json]);
    assert.match(results[event.eventId]?.error ?? '', /keys of there\.test/);
    assert.equal(await standingOf(scene, event.eventId), undefined);
    await scene.close();
  });

  it('lets nobody in by what is in another room', async () => {
    const given: { gap: Pdu[]; states: Map<EventId, StateBefore> } = { gap: [], states: new Map() };
    const missingEvents: MissingEvents = {
      gap: async () => ({ events: given.gap, isFinal: true }),
      authEvents: async () => [],
      stateBefore: async ({ eventId }) => given.states.get(eventId),
    };
    const scene = await setUp(backend, {}, { missingEvents });
    const { api, roomId } = scene;
    const eve = '@eve:there.test' as UserId;
    const club = await makeRoom(scene);
    const invite = { roomId: club, type: 'm.room.member', stateKey: eve, sender: ALICE };
    const invited = await api.performSendEvent({ ...invite, content: { membership: 'invite' } });
    const rules = await scene.send(ALICE, 'm.room.join_rules', '', { join_rule: 'invite' });
    const create = (await scene.current('m.room.create')) as EventId;
    const join = await scene.make({
      sender: eve,
      type: 'm.room.member',
      stateKey: eve,
      content: { membership: 'join' },
      authEvents: [create, rules, invited.eventId],
    });
    const after = (sender: UserId, before: Pdu, authEvents?: EventId[]) =>
      scene.make({
        ...message(sender),
        prevEvents: [before.eventId],
        depth: before.depth + 1,
        ...(authEvents && { authEvents }),
      });
    const hers = await after(eve, join, [create, join.eventId]);
    const his = await after(DAN, hers);
    const state = await api.queryStateIds({ roomId, members: 'all' });
    const stateIds = state.entries.map(({ eventId }) => eventId);
    given.gap = [hers];
    given.states.set(join.eventId, { stateIds, events: [join] });
    await receive(scene, [his]);
    await scene.context.staged.idle();
    assert.equal(await standingOf(scene, join.eventId), 'rejected');
    assert.equal(await standingOf(scene, hers.eventId), 'rejected');
    assert.equal(await standingOf(scene, his.eventId), 'accepted');
    assert.deepEqual(await api.queryMemberships({ roomId, userIds: [eve] }), []);
    await scene.close();
  });

  it('bounds the time that others may take for a batch of events', async () => {
    const ends: number[] = [];
    const missingEvents: MissingEvents = {
      gap: async ({ endsAt }) => {
        ends.push(endsAt);
        return { events: [], isFinal: true };
      },
      authEvents: async () => [],
      stateBefore: async ({ endsAt }) => {
        ends.push(endsAt);
        return undefined;
      },
    };
    const scene = await setUp(backend, {}, { missingEvents });
    const start = scene.clock.now();
    const lost = (i: number) => [`$lost${i}` as EventId];
    const pdus = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        scene.make({ ...message(DAN, `${i}`), prevEvents: lost(i), depth: 50 }),
      ),
    );
    await receive(scene, pdus);
    await scene.context.staged.idle();
    assert.deepEqual(ends, [start + 90_000]);
    scene.clock.advance(1_000);
    await scene.context.staged.idle();
    // One for the gap, and for the states after what is missing and before what has come no more than a few, since none of
    // them is given. All of them by the same time.
    assert.deepEqual(new Set(ends.slice(1)), new Set([start + 91_000]));
    assert.ok(ends.length > 5 && ends.length < 15, String(ends.length));
    await scene.close();
  });

  it('tries again what lacks its past, some times, and then gives it up', async () => {
    const scene = await setUp(backend);
    const { staged } = scene.context;
    const lost = ['$lost' as EventId];
    const event = await scene.make({ ...message(DAN), prevEvents: lost, depth: 50 });
    await receive(scene, [event]);
    for (const ms of [1_000, 10_000, 60_000, 600_000]) {
      await staged.idle();
      assert.equal((await selectBacklogs(scene.database))[0]?.count, 1);
      assert.equal(staged.spaceFor(scene.roomId, THERE), 999);
      scene.clock.advance(ms);
    }
    await staged.idle();
    assert.deepEqual(await selectBacklogs(scene.database), []);
    assert.equal(staged.spaceFor(scene.roomId, THERE), 1000);
    assert.equal(await standingOf(scene, event.eventId), undefined);
    await scene.close();
  });
});
