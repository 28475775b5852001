// Work under a room's lock: batches, what they share, and what they do not.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { DeviceId, EventId, RoomId } from '../../src/protocol/identifiers.ts';
import type { SendEventRequest } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { untilDuring } from '../until.ts';
import { ALICE, BOB, makeRoom, startRoomserver, type TestRoomserver, text } from './harness.ts';

function send({ api }: TestRoomserver, roomId: RoomId, id?: string) {
  const request: SendEventRequest = {
    roomId,
    sender: ALICE,
    type: 'm.room.message',
    content: text(id ?? 'hello'),
    ...(id !== undefined && {
      transaction: { userId: ALICE, deviceId: 'DEVICE' as DeviceId, scope: roomId, id },
    }),
  };
  return api.performSendEvent(request);
}

forEachBackend('rooms', (backend) => {
  it('undoes the work that fails and keeps that of the others in its batch', async () => {
    const server = await startRoomserver(backend);
    const { rooms } = server.context;
    const roomId = await makeRoom(server);
    const order: string[] = [];
    const effects: string[] = [];
    const work = (name: string, isFailing: boolean) =>
      rooms.change(roomId, async (room) => {
        order.push(name);
        room.head = { ...room.head, invitedMembers: room.head.invitedMembers + 1 };
        room.log({ kind: 'ForgetRoom', userId: ALICE });
        room.afterCommit(() => effects.push(name));
        await room.states.set(room.head.currentState, [
          { type: 'm.test', stateKey: name, eventId: '$x' as EventId },
        ]);
        if (isFailing) throw new Error('on purpose');
        return room.head.invitedMembers;
      });
    const before = (await server.entries(roomId)).length;
    const outcomes = await Promise.allSettled([
      work('a', false),
      work('b', true),
      work('c', false),
    ]);
    assert.deepEqual(order, ['a', 'b', 'c']);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.value : 'failed')),
      [1, 'failed', 2],
    );
    assert.deepEqual(effects, ['a', 'c']);
    assert.equal((await server.entries(roomId)).length, before + 2);
    await server.close();
  });

  it('shows a head to nobody before COMMIT', async () => {
    const held: (() => void)[] = [];
    let isHeld = false;
    const server = await startRoomserver(backend, {
      beforeCommit: async () => {
        if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      },
    });
    const roomId = await makeRoom(server);
    const before = await server.api.queryRoom({ roomId });
    isHeld = true;
    let isAnswered = false;
    const sending = send(server, roomId).then((sent) => {
      isAnswered = true;
      return sent;
    });
    await untilDuring(sending, () => held.length > 0);
    assert.deepEqual(await server.api.queryRoom({ roomId }), before);
    assert.equal(isAnswered, false);
    isHeld = false;
    for (const release of held) release();
    const { eventId } = await sending;
    assert.deepEqual((await server.api.queryRoom({ roomId }))?.forwardExtremities, [eventId]);
    await server.close();
  });

  it('does not let a room that cannot be written take others with it', async () => {
    const server = await startRoomserver(backend);
    const good = await makeRoom(server);
    const bad = await makeRoom(server);
    const attempts = await Promise.allSettled([
      send(server, good),
      server.context.rooms.change(bad, async (room) => {
        room.alsoWrite((tx) =>
          tx.run(sql`INSERT INTO roomserver_published (room_id) VALUES (${null})`),
        );
      }),
      send(server, good),
    ]);
    assert.deepEqual(
      attempts.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    await send(server, bad);
    await server.close();
  });

  it('refuses to make a room twice', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const again = { roomId, roomVersion: '11', creator: BOB } as const;
    const attempt = server.context.rooms.create(again, async () => {});
    await assert.rejects(attempt, { errcode: 'M_ROOM_IN_USE' });
    const failing = { ...again, roomId: '!new:here.test' as RoomId };
    const failure = server.context.rooms.create(failing, async () => {
      throw new Error('on purpose');
    });
    await assert.rejects(failure, { message: 'on purpose' });
    assert.equal(await server.api.queryRoom({ roomId: failing.roomId }), undefined);
    await server.close();
  });

  it('finds a repeated transaction among new ones after a restart', async () => {
    const first = await startRoomserver(backend);
    const roomId = await makeRoom(first);
    const { eventId } = await send(first, roomId, 'old');
    await first.close();
    const server = await startRoomserver(backend);
    const ids = ['new-1', 'old', 'new-2', 'old', 'new-1'];
    const sent = await Promise.all(ids.map((id) => send(server, roomId, id)));
    assert.equal(sent[1]?.eventId, eventId);
    assert.equal(sent[3]?.eventId, eventId);
    assert.equal(sent[4]?.eventId, sent[0]?.eventId);
    assert.equal(new Set(sent.map((one) => one.eventId)).size, 3);
    const bodies = (await server.entries(roomId)).flatMap((entry) =>
      entry.kind === 'NewRoomEvent' ? (entry.event.json.content.body ?? []) : [],
    );
    assert.deepEqual(bodies.sort(), ['new-1', 'new-2', 'old']);
    await server.close();
  });

  it('answers a repeated transaction though it would be refused now', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const sent = await send(server, roomId, 'x');
    await server.api.performMembershipChange({
      roomId,
      sender: ALICE,
      target: ALICE,
      action: 'leave',
      content: {},
    });
    assert.equal((await send(server, roomId, 'x')).eventId, sent.eventId);
    await assert.rejects(send(server, roomId, 'y'), { errcode: 'M_FORBIDDEN' });
    await server.close();
    const restarted = await startRoomserver(backend);
    assert.equal((await send(restarted, roomId, 'x')).eventId, sent.eventId);
    await restarted.close();
  });

  it('finishes what has begun when it closes, and refuses what comes', async () => {
    const server = await startRoomserver(backend);
    const roomId = await makeRoom(server);
    const sending = send(server, roomId);
    const closing = server.close();
    await assert.rejects(send(server, roomId));
    await sending;
    await closing;
  });
});
