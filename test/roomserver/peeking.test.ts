// Looking into rooms: who may, and where in the log it begins.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DeviceId, RoomAlias, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomserverApi } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, makeRoom, startRoomserver, type TestRoomserver } from './harness.ts';
import { inOrder } from './in-order.ts';

type PeekRequest = Parameters<RoomserverApi['performPeek']>[0];

const DEVICE = 'DEVICE' as DeviceId;
const HOUR = 3_600_000;

const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

function openRoom(server: TestRoomserver): Promise<RoomId> {
  const content = { history_visibility: 'world_readable' };
  return makeRoom(server, { state: [{ type: 'm.room.history_visibility', content }] });
}

function peek({ api }: TestRoomserver, room: string, request: Partial<PeekRequest> = {}) {
  const who = { userId: BOB, deviceId: DEVICE, serverNames: [], via: 'sync' } as const;
  return api.performPeek({ ...who, roomIdOrAlias: room, ...request });
}

function setState({ api }: TestRoomserver, roomId: RoomId, type: string, content: JsonObject) {
  return api.performSendEvent({ roomId, sender: ALICE, type, stateKey: '', content });
}

forEachBackend('peeking', (backend) => {
  it('begins where its entry stands in the log, with the state of then', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const now = server.clock.now();
    const room = await server.api.queryRoom({ roomId });
    const { position, ...peeked } = await peek(server, roomId);
    assert.deepEqual(peeked, { roomId, expiryTs: now + HOUR });
    assert.deepEqual((await server.entries(roomId)).at(-1), {
      v: 1,
      kind: 'NewPeek',
      position,
      userId: BOB,
      deviceId: DEVICE,
      via: 'sync',
      expiryTs: now + HOUR,
      currentState: room?.currentState,
    });
    server.clock.advance(60_000);
    assert.equal((await peek(server, roomId)).expiryTs, now + HOUR + 60_000);
    await server.close();
  });

  it('finds rooms by alias', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const alias = '#open:here.test' as RoomAlias;
    await server.api.performSetAlias({ alias, roomId, userId: ALICE });
    assert.equal((await peek(server, alias)).roomId, roomId);
    await server.close();
  });

  it('is refused in unknown rooms', async () => {
    const server = await startRoomserver(backend);
    for (const room of ['!unknown:here.test', '#unknown:here.test', '#room:there.test']) {
      await assert.rejects(peek(server, room), refusal('M_NOT_FOUND'), room);
    }
    await assert.rejects(peek(server, 'room'), refusal('M_INVALID_PARAM'));
    await server.close();
  });

  it('is refused in rooms that are not open, or encrypted, or joined, and logs nothing', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const rooms = [await makeRoom(server)];
    for (const history_visibility of ['shared', 'invited', 'joined', 'nonsense']) {
      const room = await openRoom(server);
      await setState(server, room, 'm.room.history_visibility', { history_visibility });
      rooms.push(room);
    }
    const encrypted = await openRoom(server);
    await setState(server, encrypted, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' });
    const head = await server.eventLog.head('roomserver.output');
    for (const room of [...rooms, encrypted]) {
      for (const via of ['sync', 'events'] as const) {
        await assert.rejects(peek(server, room, { via }), refusal('M_FORBIDDEN'));
      }
    }
    const joined = { userId: ALICE };
    await assert.rejects(peek(server, roomId, joined), refusal('M_BAD_STATE'));
    await assert.rejects(peek(server, rooms[0] as RoomId, joined), refusal('M_BAD_STATE'));
    assert.equal(await server.eventLog.head('roomserver.output'), head);
    await server.close();
  });

  it('is open to who is banned, has left, or is invited: everybody may look', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const change = (target: UserId, action: 'invite' | 'ban') =>
      server.api.performMembershipChange({ roomId, sender: ALICE, target, action, content: {} });
    await change(BOB, 'invite');
    assert.equal((await peek(server, roomId)).roomId, roomId);
    await change(BOB, 'ban');
    assert.equal((await peek(server, roomId)).roomId, roomId);
    await server.close();
  });

  it('of a poll is shorter, and open to members', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const { expiryTs } = await peek(server, roomId, { via: 'events' });
    assert.ok(expiryTs > server.clock.now() + 60_000);
    assert.ok(expiryTs < server.clock.now() + HOUR);
    await peek(server, roomId, { via: 'events', userId: ALICE });
    await server.close();
  });

  it('meets a change of visibility either before it or not at all', async () => {
    const server = await startRoomserver(backend);
    for (const closing of [0, 1, 3]) {
      const roomId = await openRoom(server);
      const close = () =>
        setState(server, roomId, 'm.room.history_visibility', { history_visibility: 'shared' });
      const look = (turn: number) => peek(server, roomId, { deviceId: `D${turn}` as DeviceId });
      const calls = [0, 1, 2, 3].map((turn) => async () => {
        await (turn === closing ? close() : look(turn));
      });
      const results = await inOrder(server, roomId, calls);
      results.forEach((result, turn) => {
        assert.equal(result.status, turn <= closing ? 'fulfilled' : 'rejected');
        if (result.status === 'rejected') assert.equal(result.reason.errcode, 'M_FORBIDDEN');
      });
      const kinds = (await server.entries(roomId)).map(({ kind }) => kind);
      const peeks = Array.from({ length: closing }, () => 'NewPeek');
      assert.deepEqual(kinds.slice(-closing - 1), [...peeks, 'NewRoomEvent']);
    }
    await server.close();
  });

  it('meets a join either before it or not at all', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const join = { roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} };
    const results = await inOrder<unknown>(server, roomId, [
      () => peek(server, roomId),
      () => server.api.performJoin(join),
      () => peek(server, roomId),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
    const kinds = (await server.entries(roomId)).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(-2), ['NewPeek', 'NewRoomEvent']);
    await server.close();
  });

  it('ends by an entry of its own', async () => {
    const server = await startRoomserver(backend);
    const roomId = await openRoom(server);
    const device = { userId: BOB, deviceId: DEVICE, via: 'sync' } as const;
    await peek(server, roomId);
    const { position } = await server.api.performUnpeek({ roomId, ...device });
    const last = (await server.entries(roomId)).at(-1);
    assert.deepEqual(last, { v: 1, kind: 'RetirePeek', position, ...device });
    const unknown = { roomId: '!unknown:here.test' as RoomId, ...device };
    await assert.rejects(server.api.performUnpeek(unknown), refusal('M_NOT_FOUND'));
    await server.close();
  });
});
