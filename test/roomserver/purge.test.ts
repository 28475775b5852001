// Purging: a room is gone at once for everybody, and in the end from the database.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { DeviceId, RoomAlias, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import { forEachBackend } from '../contracts/backends.ts';
import {
  ALICE,
  BOB,
  CAROL,
  makeRoom,
  startRoomserver,
  type TestRoomserver,
  text,
} from './harness.ts';
import { inOrder } from './in-order.ts';

const ALIAS = '#gone:here.test' as RoomAlias;
const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

async function usedRoom(server: TestRoomserver): Promise<RoomId> {
  const { api } = server;
  const { roomId } = await api.performCreateRoom({
    creator: ALICE,
    profiles: {},
    invite: [CAROL],
    initialState: [],
    preset: 'public_chat',
    visibility: 'public',
    roomAliasName: 'gone',
  });
  await api.performJoin({ roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} });
  return roomId;
}

/** Rows that name the room, by table. */
async function rowsOf({ database }: TestRoomserver, roomId: RoomId) {
  const count = async (rows: Promise<object[]>) => (await rows).length;
  return {
    rooms: await count(database.all(sql`SELECT 1 FROM roomserver_rooms WHERE room_id = ${roomId}`)),
    events: await count(
      database.all(sql`SELECT 1 FROM roomserver_events WHERE room_id = ${roomId}`),
    ),
    nodes: await count(
      database.all(sql`SELECT 1 FROM roomserver_state_nodes WHERE room_id = ${roomId}`),
    ),
    members: await count(
      database.all(sql`SELECT 1 FROM roomserver_memberships WHERE room_id = ${roomId}`),
    ),
    hosts: await count(
      database.all(sql`SELECT 1 FROM roomserver_joined_hosts WHERE room_id = ${roomId}`),
    ),
    aliases: await count(
      database.all(sql`SELECT 1 FROM roomserver_aliases WHERE room_id = ${roomId}`),
    ),
    published: await count(
      database.all(sql`SELECT 1 FROM roomserver_published WHERE room_id = ${roomId}`),
    ),
    purges: await count(
      database.all(sql`SELECT 1 FROM roomserver_purges WHERE room_id = ${roomId}`),
    ),
  };
}

const NOTHING = {
  rooms: 0,
  events: 0,
  nodes: 0,
  members: 0,
  hosts: 0,
  aliases: 0,
  published: 0,
  purges: 0,
};

async function sweep({ clock, context }: TestRoomserver): Promise<void> {
  clock.advance(60_000);
  await context.purges.idle();
}

forEachBackend('purging', (backend) => {
  it('lets local users leave, tells the log, and forgets the room at once', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await usedRoom(server);
    const other = await makeRoom(server);
    const kept = await rowsOf(server, other);
    const { position } = await api.performPurge({ roomId });

    const entries = await server.entries(roomId);
    assert.deepEqual(entries.at(-1), { v: 1, kind: 'PurgeRoom', position });
    const left = entries.slice(-4, -1).map((entry) => {
      assert.ok(entry.kind === 'NewRoomEvent');
      assert.equal(entry.event.json.content.membership, 'leave');
      assert.equal(entry.event.json.sender, entry.event.json.state_key);
      return entry.event.json.sender;
    });
    assert.deepEqual(left.toSorted(), [ALICE, BOB, CAROL]);

    assert.equal(await api.queryRoom({ roomId }), undefined);
    await assert.rejects(api.queryAlias({ alias: ALIAS }), refusal('M_NOT_FOUND'));
    assert.deepEqual((await api.queryPublicRooms({ limit: 5 })).chunk, []);
    const summary = api.queryRoomSummary({ roomIdOrAlias: roomId, userId: ALICE, serverNames: [] });
    await assert.rejects(summary, { errcode: 'M_NOT_FOUND' });
    const memberships = ['join', 'invite', 'leave'];
    assert.deepEqual(await api.queryRoomsOfUser({ userId: CAROL, memberships }), []);
    const message = { roomId, sender: ALICE, type: 'm.room.message', content: text('hello?') };
    await assert.rejects(api.performSendEvent(message), refusal('M_NOT_FOUND'));
    await assert.rejects(api.performPurge({ roomId }), refusal('M_NOT_FOUND'));

    await sweep(server);
    assert.deepEqual(await rowsOf(server, roomId), NOTHING);
    assert.deepEqual(await rowsOf(server, other), kept);
    // The name is free again.
    await usedRoom(server);
    await server.close();
  });

  it('keeps states for a while, for readers of the log that are late', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const content = { history_visibility: 'world_readable' };
    const roomId = await makeRoom(server, {
      state: [{ type: 'm.room.history_visibility', content }],
    });
    const peek = {
      roomIdOrAlias: roomId,
      userId: BOB,
      deviceId: 'D' as DeviceId,
      serverNames: [],
      via: 'sync',
    } as const;
    // In one batch: the state that the peek names must be there for who reads of it later.
    const join = { roomIdOrAlias: roomId, userId: CAROL, serverNames: [], content: {} };
    const results = await inOrder<unknown>(server, roomId, [
      () => api.performPurge({ roomId }),
      () => api.performJoin(join),
      () => api.performPeek(peek),
    ]);
    assert.ok(results.every(({ status }) => status === 'fulfilled'));
    const found = (await server.entries(roomId)).find(({ kind }) => kind === 'NewPeek');
    assert.ok(found?.kind === 'NewPeek');
    const keys = [{ type: 'm.room.history_visibility', stateKey: '' }];
    const snapshot = found.currentState;
    const [event] = await api.queryStateEvents({ roomId, snapshot, keys });
    assert.deepEqual(event?.json.content, content);
    await sweep(server);
    assert.deepEqual(await rowsOf(server, roomId), NOTHING);
    await server.close();
  });

  it('removes big rooms bit by bit, and goes on after a restart', async () => {
    let server = await startRoomserver(backend);
    const roomId = await usedRoom(server);
    const joins = Array.from({ length: 230 }, (_, i) => ({
      roomIdOrAlias: roomId,
      userId: `@u${i}:here.test` as UserId,
      serverNames: [],
      content: {},
    }));
    await Promise.all(joins.map((join) => server.api.performJoin(join)));
    const message = { roomId, sender: ALICE, type: 'm.room.message' };
    const bodies = Array.from({ length: 400 }, (_, i) => text(`${i}`));
    await Promise.all(
      bodies.map((content) => server.api.performSendEvent({ ...message, content })),
    );
    await server.api.performPurge({ roomId });
    const left = (await server.entries(roomId)).filter(
      (entry) => entry.kind === 'NewRoomEvent' && entry.event.json.content.membership === 'leave',
    );
    assert.equal(left.length, 233);
    // Closed in the middle of it, after one chunk at most.
    server.clock.advance(60_000);
    await server.close();

    server = await startRoomserver(backend);
    const rest = await rowsOf(server, roomId);
    assert.ok(rest.events > 0);
    assert.equal(rest.purges, 1);
    assert.equal(await server.api.queryRoom({ roomId }), undefined);
    const room = { roomId, roomVersion: '11', creator: ALICE } as const;
    const remake = () => server.context.rooms.create(room, async () => undefined);
    await assert.rejects(remake(), refusal('M_ROOM_IN_USE'));
    await sweep(server);
    assert.deepEqual(await rowsOf(server, roomId), NOTHING);
    await remake();
    await server.close();
  });

  it('leaves the room as it was when the commit fails', async () => {
    let isFailing = false;
    const beforeCommit = async () => {
      if (isFailing) throw new Error('disk full');
    };
    const server = await startRoomserver(backend, { beforeCommit });
    const roomId = await usedRoom(server);
    const before = await rowsOf(server, roomId);
    isFailing = true;
    await assert.rejects(server.api.performPurge({ roomId }));
    isFailing = false;
    await sweep(server);
    assert.deepEqual(await rowsOf(server, roomId), before);
    assert.equal((await server.api.queryRoom({ roomId }))?.joinedMembers, 2);
    await server.close();
  });
});
