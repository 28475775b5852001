// Events of local users: in order, once, all or nothing.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DatabaseError } from '../../src/database/database.ts';
import type { DeviceId, EventId } from '../../src/protocol/identifiers.ts';
import type { SendEventRequest } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { until } from '../until.ts';
import { ALICE, BOB, type Entry, makeRoom, startRoomserver, text } from './harness.ts';

const DEVICE = 'DEVICE' as DeviceId;

forEachBackend('sending', (backend) => {
  for (const roomVersion of ['1', '3', '6', '11', '12'] as const) {
    it(`sends a message in a room of version ${roomVersion}`, async () => {
      const server = await startRoomserver(backend);
      const roomId = await makeRoom(server, { roomVersion });
      const before = await server.api.queryRoom({ roomId });
      const { eventId, position } = await server.api.performSendEvent({
        roomId,
        sender: ALICE,
        type: 'm.room.message',
        content: text('hello'),
      });
      const [stored] = await server.api.queryEvents({ eventIds: [eventId] });
      assert.deepEqual(stored?.json.content, text('hello'));
      assert.equal(stored?.stateBefore, before?.currentState);
      const { position: at, ...entry } = (await server.entries(roomId)).at(-1) as Entry;
      assert.equal(at, position);
      assert.deepEqual(entry, {
        v: 1,
        kind: 'NewRoomEvent',
        event: { eventId, roomVersion, json: stored?.json },
        stateChanges: [],
        stateBefore: before?.currentState,
        currentState: before?.currentState,
        visibilityAtEvent: 'shared',
        currentVisibility: 'shared',
        encrypted: false,
        sendAs: 'here.test',
      });
      await server.close();
    });
  }

  it('describes a change of state to the log', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const joined = await server.api.performJoin({
      roomIdOrAlias: roomId,
      userId: BOB,
      serverNames: [],
      content: { displayname: 'Bob' },
    });
    const left = await server.api.performMembershipChange({
      roomId,
      sender: ALICE,
      target: BOB,
      action: 'kick',
      content: { reason: 'noise' },
    });
    const entries = await server.entries(roomId);
    const [join, kick] = [joined, left].map(({ position }) => {
      const entry = entries.find((candidate) => candidate.position === position);
      assert.ok(entry?.kind === 'NewRoomEvent');
      return entry;
    });
    assert.ok(join && kick);
    const member = { type: 'm.room.member', stateKey: BOB };
    assert.deepEqual(join.stateChanges, [
      { ...member, eventId: join.event.eventId, sender: BOB, membership: 'join' },
    ]);
    assert.deepEqual(kick.stateChanges, [
      {
        ...member,
        eventId: kick.event.eventId,
        replacedEventId: join.event.eventId,
        sender: ALICE,
        membership: 'leave',
        previousMembership: 'join',
      },
    ]);
    const [stored] = await server.api.queryEvents({ eventIds: [kick.event.eventId] });
    assert.equal(stored?.replacesState, join.event.eventId);
    const room = await server.api.queryRoom({ roomId });
    assert.equal(room?.joinedMembers, 1);
    await server.close();
  });

  it('makes one event of a transaction, however often and at once it is sent', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const request: SendEventRequest = {
      roomId,
      sender: ALICE,
      type: 'm.room.message',
      content: text('once'),
      transaction: { userId: ALICE, deviceId: DEVICE, scope: `send/${roomId}`, id: '1' },
    };
    const sent = await Promise.all(
      Array.from({ length: 10 }, () => server.api.performSendEvent(request)),
    );
    sent.push(await server.api.performSendEvent(request));
    assert.equal(new Set(sent.map(({ eventId }) => eventId)).size, 1);
    const other = {
      ...request,
      transaction: { ...request.transaction, deviceId: 'B' as DeviceId },
    };
    const again = await server.api.performSendEvent(other as SendEventRequest);
    assert.notEqual(again.eventId, sent[0]?.eventId);
    const messages = (await server.entries(roomId)).filter(
      (entry) => entry.kind === 'NewRoomEvent' && entry.event.json.type === 'm.room.message',
    );
    assert.equal(messages.length, 2);
    assert.deepEqual(await server.api.queryTransaction(request.transaction as never), {
      eventId: sent[0]?.eventId,
    });
    await server.close();

    const restarted = await startRoomserver(backend);
    assert.equal((await restarted.api.performSendEvent(request)).eventId, sent[0]?.eventId);
    await restarted.close();
  });

  it('forgets transactions after a day', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const transaction = { userId: ALICE, deviceId: DEVICE, scope: `send/${roomId}`, id: '1' };
    const message = { roomId, sender: ALICE, type: 'm.room.message', content: text('x') };
    const { eventId } = await server.api.performSendEvent({ ...message, transaction });
    const expire = async (hours: number) => {
      for (let hour = 0; hour < hours; hour++) {
        server.clock.advance(3_600_000);
        // The sweep runs in the background: on SQLite its transaction is ahead of these.
        for (let turn = 0; turn < 5; turn++) await server.database.transact(async () => {});
      }
    };
    await expire(23);
    assert.deepEqual(await server.api.queryTransaction(transaction), { eventId });
    await until(async () => {
      server.clock.advance(3_600_000);
      return (await server.api.queryTransaction(transaction)) === undefined;
    });
    await server.close();
  });

  it('keeps a linear history under concurrent senders', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const sent = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        server.api.performSendEvent({
          roomId,
          sender: ALICE,
          type: 'm.room.message',
          content: text(String(n)),
        }),
      ),
    );
    const events = (await server.entries(roomId)).flatMap((entry) =>
      entry.kind === 'NewRoomEvent' ? [entry.event] : [],
    );
    assert.equal(events.length, 4 + sent.length);
    events.slice(1).forEach((event, i) => {
      assert.deepEqual(event.json.prev_events, [events[i]?.eventId]);
      assert.equal(event.json.depth, i + 2);
    });
    const room = await server.api.queryRoom({ roomId });
    assert.deepEqual(room?.forwardExtremities, [events.at(-1)?.eventId]);
    await server.close();
  });

  it('answers a state event that changes nothing with the one in force', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const topic = {
      roomId,
      sender: ALICE,
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'a' },
    };
    const first = await server.api.performSendEvent(topic);
    const second = await server.api.performSendEvent(topic);
    assert.equal(second.eventId, first.eventId);
    const third = await server.api.performSendEvent({ ...topic, content: { topic: 'b' } });
    assert.notEqual(third.eventId, first.eventId);
    await server.close();
  });

  it('refuses what may not be sent, and stores nothing of it', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const before = await server.entries(roomId);
    const base = { roomId, sender: ALICE, type: 'm.room.message', content: text('x') };
    const refusals: [Partial<SendEventRequest>, string][] = [
      [{ sender: BOB }, 'M_FORBIDDEN'],
      [{ content: { body: 'x'.repeat(65_536) } }, 'M_TOO_LARGE'],
      [{ content: { number: 1.5 } }, 'M_BAD_JSON'],
      [{ type: 'x'.repeat(256) }, 'M_TOO_LARGE'],
      [{ type: 'm.room.create', stateKey: '' }, 'M_FORBIDDEN'],
      [{ roomId: '!none:here.test' as typeof roomId }, 'M_NOT_FOUND'],
    ];
    for (const [change, errcode] of refusals) {
      const refused = server.api.performSendEvent({ ...base, ...change });
      await assert.rejects(refused, { errcode }, JSON.stringify(change).slice(0, 100));
    }
    assert.deepEqual(await server.entries(roomId), before);
    await server.api.performSendEvent(base);
    await server.close();
  });

  it('lets one of a batch fail alone', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const send = (sender: typeof ALICE) =>
      server.api.performSendEvent({ roomId, sender, type: 'm.room.message', content: text('x') });
    const outcomes = await Promise.allSettled([send(ALICE), send(BOB), send(ALICE), send(BOB)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    await server.close();
  });

  it('leaves nothing behind when COMMIT fails', async () => {
    let isFailing = false;
    const server = await startRoomserver(backend, {
      beforeCommit: async () => {
        if (isFailing) throw new Error('the disk is gone');
      },
    });
    const roomId = await makeRoom(server);
    const before = await server.api.queryRoom({ roomId });
    const entries = await server.entries(roomId);
    const send = (sender = ALICE) =>
      server.api.performSendEvent({ roomId, sender, type: 'm.room.message', content: text('x') });
    const topic = { type: 'm.room.topic', stateKey: '', content: { topic: 'lost' } };
    isFailing = true;
    const lost = [
      send(),
      server.api.performSendEvent({ roomId, sender: ALICE, ...topic }),
      send(BOB),
    ];
    for (const outcome of await Promise.allSettled(lost)) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof DatabaseError);
    }
    isFailing = false;
    assert.deepEqual(await server.api.queryRoom({ roomId }), before);
    assert.deepEqual(await server.entries(roomId), entries);
    const { eventId } = await send();
    const [stored] = await server.api.queryEvents({ eventIds: [eventId] });
    assert.deepEqual(stored?.json.prev_events, before?.forwardExtremities);
    await server.close();
  });

  it('goes on after a restart where it was', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server, { state: [{ type: 'm.room.encryption', content: {} }] });
    const before = await server.api.queryRoom({ roomId });
    const ids = await server.api.queryStateIds({ roomId, members: 'all' });
    await server.close();
    const restarted = await startRoomserver(backend);
    assert.deepEqual(await restarted.api.queryRoom({ roomId }), before);
    assert.equal(before?.encrypted, true);
    assert.deepEqual(await restarted.api.queryStateIds({ roomId, members: 'all' }), ids);
    const [create] = await restarted.api.queryStateEvents({
      roomId,
      keys: [{ type: 'm.room.create', stateKey: '' }],
    });
    assert.equal(create?.json.type, 'm.room.create');
    assert.deepEqual(await restarted.api.queryEvents({ eventIds: ['$nothing' as EventId] }), []);
    await restarted.close();
  });
});
