// The published room directory: who publishes, what is listed in which order, and pages both ways.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomAlias, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { PublicRooms, RoomserverApi } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, makeRoom, startRoomserver, type TestRoomserver } from './harness.ts';

type CreateRequest = Parameters<RoomserverApi['performCreateRoom']>[0];

const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });
const idsOf = ({ chunk }: PublicRooms) => chunk.map((room) => room.room_id);

async function publicRoom(
  { api }: TestRoomserver,
  options: Partial<CreateRequest> = {},
): Promise<RoomId> {
  const { roomId } = await api.performCreateRoom({
    creator: ALICE,
    profiles: {},
    invite: [],
    initialState: [],
    visibility: 'public',
    ...options,
  });
  return roomId;
}

async function join({ api }: TestRoomserver, roomId: RoomId, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const userId = `@member${i}:here.test` as UserId;
    await api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} });
  }
}

/** Walks from a token to the end of the list. */
async function walk(
  { api }: TestRoomserver,
  limit: number,
  way: { readonly direction: 'nextBatch' | 'prevBatch'; readonly since?: string },
): Promise<{ pages: RoomId[][]; last: PublicRooms }> {
  const pages: RoomId[][] = [];
  let since = way.since;
  for (;;) {
    const last = await api.queryPublicRooms({ limit, ...(since !== undefined && { since }) });
    pages.push(idsOf(last));
    since = last[way.direction];
    if (since === undefined) return { pages, last };
  }
}

forEachBackend('the published room directory', (backend) => {
  it('takes rooms from members with the power to name their addresses', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await makeRoom(server);
    await api.performJoin({ roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} });
    const unknown = '!unknown:here.test' as RoomId;
    const publish = (userId: UserId, published: boolean, id = roomId) =>
      api.performPublish({ roomId: id, userId, published });
    for (const published of [true, false]) {
      await assert.rejects(publish(BOB, published), refusal('M_FORBIDDEN'));
      await assert.rejects(publish(CAROL, published), refusal('M_FORBIDDEN'));
      await assert.rejects(publish(ALICE, published, unknown), refusal('M_NOT_FOUND'));
    }
    await assert.rejects(api.queryPublished({ roomId: unknown }), refusal('M_NOT_FOUND'));
    assert.deepEqual(await api.queryPublished({ roomId }), { published: false });
    assert.deepEqual(idsOf(await api.queryPublicRooms({ limit: 5 })), []);
    for (let i = 0; i < 2; i++) await publish(ALICE, true);
    assert.deepEqual(await api.queryPublished({ roomId }), { published: true });
    assert.deepEqual(idsOf(await api.queryPublicRooms({ limit: 5 })), [roomId]);
    for (let i = 0; i < 2; i++) await publish(ALICE, false);
    assert.deepEqual(await api.queryPublished({ roomId }), { published: false });
    assert.deepEqual(await api.queryPublicRooms({ limit: 5 }), {
      chunk: [],
      totalRoomCountEstimate: 0,
    });
    await server.close();
  });

  it('shows what a looker may know, as it is now', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const state = (type: string, content: object) => ({ type, stateKey: '', content }) as never;
    const roomId = await publicRoom(server, {
      name: 'Pub',
      topic: 'Beer',
      roomAliasName: 'pub',
      creationContent: { type: 'm.space' },
      initialState: [
        state('m.room.avatar', { url: 'mxc://here.test/a' }),
        state('m.room.guest_access', { guest_access: 'can_join' }),
        state('m.room.history_visibility', { history_visibility: 'world_readable' }),
        state('m.room.join_rules', { join_rule: 'knock' }),
      ],
    });
    const shown = {
      room_id: roomId,
      name: 'Pub',
      topic: 'Beer',
      canonical_alias: '#pub:here.test' as RoomAlias,
      avatar_url: 'mxc://here.test/a',
      room_type: 'm.space',
      join_rule: 'knock',
      num_joined_members: 1,
      guest_can_join: true,
      world_readable: true,
    };
    assert.deepEqual(await api.queryPublicRooms({ limit: 5 }), {
      chunk: [shown],
      totalRoomCountEstimate: 1,
    });
    const send = (type: string, content: object) =>
      api.performSendEvent({
        roomId,
        sender: ALICE,
        type,
        stateKey: '',
        content: content as never,
      });
    const { eventId } = await send('m.room.name', { name: 'Tavern' });
    await send('m.room.topic', { topic: '' });
    await send('m.room.history_visibility', { history_visibility: 'shared' });
    const { topic: _, ...rest } = { ...shown, name: 'Tavern', world_readable: false };
    assert.deepEqual((await api.queryPublicRooms({ limit: 5 })).chunk, [rest]);
    // A redacted name is no name.
    const type = 'm.room.redaction';
    await api.performSendEvent({ roomId, sender: ALICE, type, content: {}, redacts: eventId });
    const { name: _name, ...nameless } = rest;
    assert.deepEqual((await api.queryPublicRooms({ limit: 5 })).chunk, [nameless]);
    await server.close();
  });

  it('lists most members first and pages to and fro without loss', async () => {
    const server = await startRoomserver(backend);
    const members = [0, 2, 1, 0, 3, 1, 0];
    const rooms: { roomId: RoomId; joined: number }[] = [];
    for (const joined of members) {
      const roomId = await publicRoom(server);
      await join(server, roomId, joined);
      rooms.push({ roomId, joined });
    }
    await publicRoom(server, { visibility: 'private' });
    rooms.sort((a, b) => b.joined - a.joined || (a.roomId < b.roomId ? -1 : 1));
    const sorted = rooms.map(({ roomId }) => roomId);

    const whole = await server.api.queryPublicRooms({ limit: 7 });
    assert.deepEqual(idsOf(whole), sorted);
    assert.deepEqual([whole.nextBatch, whole.prevBatch], [undefined, undefined]);
    assert.equal(whole.totalRoomCountEstimate, 7);

    const forth = await walk(server, 3, { direction: 'nextBatch' });
    assert.deepEqual(forth.pages, [sorted.slice(0, 3), sorted.slice(3, 6), sorted.slice(6)]);
    assert.ok(forth.last.prevBatch !== undefined);
    const back = await walk(server, 3, { direction: 'prevBatch', since: forth.last.prevBatch });
    assert.deepEqual(back.pages, [sorted.slice(3, 6), sorted.slice(0, 3)]);
    assert.ok(back.last.nextBatch !== undefined);
    const again = await walk(server, 3, { direction: 'nextBatch', since: back.last.nextBatch });
    assert.deepEqual(again.pages.flat(), sorted.slice(3));
    await server.close();
  });

  it('keeps tokens good while rooms come and go', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const ids: RoomId[] = [];
    for (let i = 0; i < 4; i++) ids.push(await publicRoom(server));
    const sorted = ids.toSorted();
    const hide = (roomId: RoomId | undefined) =>
      api.performPublish({ roomId: roomId as RoomId, userId: ALICE, published: false });
    const first = await api.queryPublicRooms({ limit: 2 });
    assert.deepEqual(idsOf(first), sorted.slice(0, 2));
    // The room at the boundary goes: the rest follows all the same.
    await hide(sorted[1]);
    const since = first.nextBatch as string;
    const second = await api.queryPublicRooms({ limit: 2, since });
    assert.deepEqual(idsOf(second), sorted.slice(2));
    for (const roomId of sorted.slice(2)) await hide(roomId);
    const empty = await api.queryPublicRooms({ limit: 2, since });
    assert.deepEqual(idsOf(empty), []);
    assert.equal(empty.nextBatch, undefined);
    const back = await api.queryPublicRooms({ limit: 2, since: empty.prevBatch as string });
    assert.deepEqual(idsOf(back), sorted.slice(0, 1));
    await hide(sorted[0]);
    const nothing = await api.queryPublicRooms({ limit: 2, since: second.prevBatch as string });
    assert.deepEqual(idsOf(nothing), []);
    assert.equal(nothing.prevBatch, undefined);
    await api.performPublish({ roomId: sorted[3] as RoomId, userId: ALICE, published: true });
    const whole = await api.queryPublicRooms({ limit: 2, since: nothing.nextBatch as string });
    assert.deepEqual(idsOf(whole), [sorted[3]]);
    await server.close();
  });

  it('refuses tokens that it has not made', async () => {
    const server = await startRoomserver(backend);
    const texts = ['', 'x1!a:b', 'f1', 'f1!', 'f-1!a:b', `f${'9'.repeat(20)}!a:b`, 'b1#a:b'];
    const bad = texts.map((text) => Buffer.from(text).toString('base64url'));
    for (const since of [...bad, '!!', '\u0000', 'p190q']) {
      const query = server.api.queryPublicRooms({ limit: 1, since });
      await assert.rejects(query, refusal('M_INVALID_PARAM'), since);
    }
    await server.close();
  });

  it('finds text in name, topic and alias, whatever its case, and types', async () => {
    const server = await startRoomserver(backend);
    const named = await publicRoom(server, { name: 'Café Womble' });
    const topical = await publicRoom(server, { topic: 'all about WOMBLES' });
    const aliased = await publicRoom(server, { roomAliasName: 'womble-fans' });
    const space = await publicRoom(server, {
      name: 'womble space',
      creationContent: { type: 'm.space' },
    });
    await publicRoom(server, { name: 'other' });
    const search = async (query: object) =>
      idsOf(await server.api.queryPublicRooms({ limit: 10, ...query })).toSorted();
    const all = [named, topical, aliased, space].toSorted();
    assert.deepEqual(await search({ searchTerm: 'wOMble' }), all);
    assert.deepEqual(await search({ searchTerm: 'CAFE\u0301' }), [named]);
    assert.deepEqual(await search({ searchTerm: 'nowhere' }), []);
    assert.deepEqual(await search({ searchTerm: '%' }), []);
    assert.deepEqual(await search({ roomTypes: ['m.space'] }), [space]);
    assert.deepEqual(await search({ roomTypes: ['org.other'] }), []);
    assert.equal((await search({ roomTypes: [null] })).length, 4);
    assert.equal((await search({ roomTypes: [null, 'm.space'] })).length, 5);
    assert.deepEqual(await search({ searchTerm: 'womble', roomTypes: ['m.space'] }), [space]);
    await server.close();
  });

  it('pages through what a search finds among many rooms', async () => {
    const server = await startRoomserver(backend);
    const wanted: RoomId[] = [];
    for (let i = 0; i < 130; i++) {
      const name = i % 40 === 7 ? 'needle' : 'hay';
      const roomId = await publicRoom(server, { name });
      if (name === 'needle') wanted.push(roomId);
    }
    const found: RoomId[] = [];
    let since: string | undefined;
    do {
      const page = await server.api.queryPublicRooms({
        limit: 2,
        searchTerm: 'needle',
        ...(since !== undefined && { since }),
      });
      assert.ok(page.chunk.length <= 2);
      assert.equal(page.totalRoomCountEstimate, 130);
      found.push(...idsOf(page));
      since = page.nextBatch;
    } while (since !== undefined);
    assert.deepEqual(found, wanted.toSorted());
    await server.close();
  });

  it('does not list rooms that everybody has left', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const roomId = await publicRoom(server);
    const leave = { roomId, sender: ALICE, target: ALICE, action: 'leave', content: {} } as const;
    await api.performMembershipChange(leave);
    assert.deepEqual(await api.queryPublicRooms({ limit: 5 }), {
      chunk: [],
      totalRoomCountEstimate: 0,
    });
    await server.close();
  });
});
