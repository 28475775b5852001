// Aliases: who may give and take them, and what becomes of m.room.canonical_alias.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomAlias, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { queryAlias } from '../../src/roomserver/aliases/query-alias.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, makeRoom, startRoomserver, type TestRoomserver } from './harness.ts';

const ONE = '#one:here.test' as RoomAlias;
const TWO = '#☕:here.test' as RoomAlias;
const ELSEWHERE = '#one:there.test' as RoomAlias;

const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

/** A room that Bob has joined, too. */
async function sharedRoom(server: TestRoomserver): Promise<RoomId> {
  const roomId = await makeRoom(server);
  await join(server, roomId, BOB);
  return roomId;
}

function join({ api }: TestRoomserver, roomId: RoomId, userId: UserId) {
  return api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} });
}

async function setCanonical({ api }: TestRoomserver, roomId: RoomId, content: JsonObject) {
  const type = 'm.room.canonical_alias';
  await api.performSendEvent({ roomId, sender: ALICE, type, stateKey: '', content });
}

async function canonical({ api }: TestRoomserver, roomId: RoomId): Promise<JsonObject | undefined> {
  const keys = [{ type: 'm.room.canonical_alias', stateKey: '' }];
  return (await api.queryStateEvents({ roomId, keys }))[0]?.json.content;
}

forEachBackend('aliases', (backend) => {
  it('lead to the room that a member gave them to', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    assert.deepEqual(await api.queryAliases({ roomId }), { aliases: [] });
    await api.performSetAlias({ alias: TWO, roomId, userId: BOB });
    await api.performSetAlias({ alias: ONE, roomId, userId: ALICE });
    assert.deepEqual(await api.queryAlias({ alias: TWO }), { roomId, servers: ['here.test'] });
    assert.deepEqual(await api.queryAliases({ roomId }), { aliases: [ONE, TWO] });
    await join(server, TWO as string as RoomId, CAROL);
    assert.equal((await api.queryRoom({ roomId }))?.joinedMembers, 3);
    await server.close();
  });

  it('are refused to strangers, of other servers, for unknown rooms, and when taken', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    const other = await makeRoom(server);
    const unknown = '!unknown:here.test' as RoomId;
    await api.performSetAlias({ alias: ONE, roomId, userId: ALICE });
    const set = (request: Partial<Parameters<typeof api.performSetAlias>[0]>) =>
      api.performSetAlias({ alias: TWO, roomId, userId: ALICE, ...request });
    await assert.rejects(set({ userId: CAROL }), refusal('M_FORBIDDEN'));
    await assert.rejects(set({ alias: ELSEWHERE }), refusal('M_INVALID_PARAM'));
    await assert.rejects(set({ roomId: unknown }), refusal('M_NOT_FOUND'));
    await assert.rejects(set({ alias: ONE, roomId: other }), refusal('M_ROOM_IN_USE'));
    await assert.rejects(set({ alias: ONE }), refusal('M_ROOM_IN_USE'));
    assert.equal((await api.queryAlias({ alias: ONE })).roomId, roomId);
    for (const alias of [TWO, ELSEWHERE]) {
      await assert.rejects(api.queryAlias({ alias }), refusal('M_NOT_FOUND'));
    }
    await server.close();
  });

  it('go to one of several rooms that want one at the same time', async () => {
    const server = await startRoomserver(backend);
    const rooms = await Promise.all(Array.from({ length: 5 }, () => makeRoom(server)));
    const results = await Promise.allSettled(
      rooms.map((roomId) =>
        server.api.performSetAlias({ alias: ONE, roomId, userId: ALICE }).then(() => roomId),
      ),
    );
    const won = results.filter((result) => result.status === 'fulfilled');
    assert.equal(won.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.errcode, 'M_ROOM_IN_USE');
    }
    const { roomId } = await server.api.queryAlias({ alias: ONE });
    assert.equal(roomId, won[0]?.value);
    await server.close();
  });

  it('of other servers are asked of these', async () => {
    const asked: RoomAlias[] = [];
    const found = { roomId: '!r:there.test' as RoomId, servers: ['there.test' as ServerName] };
    const server = await startRoomserver(backend);
    const remoteRooms = {
      ...server.context.remoteRooms,
      resolveAlias: async (alias: RoomAlias) => {
        asked.push(alias);
        return found;
      },
    };
    assert.deepEqual(await queryAlias({ ...server.context, remoteRooms }, ELSEWHERE), found);
    assert.deepEqual(asked, [ELSEWHERE]);
    await server.close();
  });

  it('are deleted by who gave them, and by who may send m.room.canonical_alias', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    await join(server, roomId, CAROL);
    await api.performSetAlias({ alias: ONE, roomId, userId: BOB });
    await api.performSetAlias({ alias: TWO, roomId, userId: BOB });
    const remove = (alias: RoomAlias, userId: UserId) => api.performDeleteAlias({ alias, userId });
    await assert.rejects(remove(ONE, CAROL), refusal('M_FORBIDDEN'));
    await assert.rejects(remove(ELSEWHERE, ALICE), refusal('M_NOT_FOUND'));
    assert.deepEqual(await remove(ONE, BOB), {});
    assert.deepEqual(await remove(TWO, ALICE), {});
    for (const alias of [ONE, TWO]) {
      await assert.rejects(remove(alias, ALICE), refusal('M_NOT_FOUND'));
      await assert.rejects(api.queryAlias({ alias }), refusal('M_NOT_FOUND'));
    }
    await server.close();
  });

  it('are not for those to delete who have power but are not in the room', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    await api.performSetAlias({ alias: ONE, roomId, userId: ALICE });
    const users = { [ALICE]: 100, [BOB]: 100 };
    const type = 'm.room.power_levels';
    await api.performSendEvent({ roomId, sender: ALICE, type, stateKey: '', content: { users } });
    const leave = { roomId, sender: BOB, target: BOB, action: 'leave', content: {} } as const;
    await api.performMembershipChange(leave);
    const deletion = api.performDeleteAlias({ alias: ONE, userId: BOB });
    await assert.rejects(deletion, refusal('M_FORBIDDEN'));
    await server.close();
  });

  it('leave m.room.canonical_alias when they are deleted by who may send it', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    for (const alias of [ONE, TWO]) await api.performSetAlias({ alias, roomId, userId: BOB });
    await setCanonical(server, roomId, { alias: ONE, alt_aliases: [ONE, TWO], 'org.x': 1 });
    const first = await api.performDeleteAlias({ alias: ONE, userId: ALICE });
    assert.equal((await server.entries(roomId)).at(-1)?.position, first.position);
    assert.deepEqual(await canonical(server, roomId), { alt_aliases: [TWO], 'org.x': 1 });
    await api.performDeleteAlias({ alias: TWO, userId: ALICE });
    assert.deepEqual(await canonical(server, roomId), { 'org.x': 1 });
    await server.close();
  });

  it('are deleted by who gave them even if m.room.canonical_alias has to keep them', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    await api.performSetAlias({ alias: ONE, roomId, userId: BOB });
    await setCanonical(server, roomId, { alias: ONE });
    assert.deepEqual(await api.performDeleteAlias({ alias: ONE, userId: BOB }), {});
    assert.deepEqual(await canonical(server, roomId), { alias: ONE });
    await assert.rejects(api.queryAlias({ alias: ONE }), refusal('M_NOT_FOUND'));
    await server.close();
  });

  it('stay, with the event, when the commit of a deletion fails', async () => {
    let isFailing = false;
    const beforeCommit = async () => {
      if (isFailing) throw new Error('disk full');
    };
    const server = await startRoomserver(backend, { beforeCommit });
    const roomId = await sharedRoom(server);
    await server.api.performSetAlias({ alias: ONE, roomId, userId: ALICE });
    await setCanonical(server, roomId, { alias: ONE });
    isFailing = true;
    await assert.rejects(server.api.performDeleteAlias({ alias: ONE, userId: ALICE }));
    isFailing = false;
    assert.equal((await server.api.queryAlias({ alias: ONE })).roomId, roomId);
    assert.deepEqual(await canonical(server, roomId), { alias: ONE });
    await server.api.performDeleteAlias({ alias: ONE, userId: ALICE });
    assert.deepEqual(await canonical(server, roomId), {});
    await server.close();
  });

  it('go to somebody else only when they are gone', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await sharedRoom(server);
    const other = await makeRoom(server);
    await api.performSetAlias({ alias: ONE, roomId, userId: ALICE });
    const moved = await Promise.allSettled([
      api.performDeleteAlias({ alias: ONE, userId: ALICE }),
      api.performDeleteAlias({ alias: ONE, userId: ALICE }),
      api.performSetAlias({ alias: ONE, roomId: other, userId: ALICE }),
    ]);
    const [first, second, given] = moved.map(({ status }) => status === 'fulfilled');
    assert.ok(first || second);
    const held = await api.queryAlias({ alias: ONE }).catch(() => undefined);
    if (!given) assert.equal(held, undefined);
    // Two who delete the same are both told that it is gone, or the second has deleted what had been given meanwhile.
    else if (first && second) assert.notEqual(held?.roomId, roomId);
    else assert.equal(held?.roomId, other);
    await server.close();
  });
});
