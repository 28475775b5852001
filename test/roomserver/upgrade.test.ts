// Upgrades of rooms: what the new room takes over, and what becomes of the old one.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomAlias, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import { type JsonObject, rawNumber } from '../../src/protocol/json.ts';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import type { RoomserverApi } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, startRoomserver, type TestRoomserver } from './harness.ts';

const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

type CreateRequest = Parameters<RoomserverApi['performCreateRoom']>[0];

async function room({ api }: TestRoomserver, more: Partial<CreateRequest> = {}): Promise<RoomId> {
  const created = { creator: ALICE, profiles: {}, invite: [], initialState: [], ...more };
  return (await api.performCreateRoom(created)).roomId;
}

async function upgrade(
  { api }: TestRoomserver,
  roomId: RoomId,
  { userId = ALICE, newVersion = '11', additionalCreators = [] as UserId[] } = {},
): Promise<RoomId> {
  const request = { roomId, userId, newVersion, additionalCreators, profile: { displayname: 'A' } };
  return (await api.performUpgradeRoom(request)).replacementRoom;
}

/** Contents of the current state, by type, and by key where it has one. */
async function stateOf(
  { api }: TestRoomserver,
  roomId: RoomId,
): Promise<Record<string, JsonObject>> {
  const { entries } = await api.queryStateIds({ roomId, members: 'all' });
  const events = await api.queryEvents({ eventIds: entries.map(({ eventId }) => eventId) });
  return Object.fromEntries(
    events.map(({ json }) => [
      `${json.type}${json.state_key ? ` ${json.state_key}` : ''}`,
      json.content,
    ]),
  );
}

async function send(
  { api }: TestRoomserver,
  roomId: RoomId,
  type: string,
  content: JsonObject,
  stateKey = '',
) {
  return await api.performSendEvent({ roomId, sender: ALICE, type, stateKey, content });
}

async function join({ api }: TestRoomserver, roomIdOrAlias: string, userId: UserId) {
  await api.performJoin({ roomIdOrAlias, userId, serverNames: [], content: {} });
}

forEachBackend('upgrades of rooms', (backend) => {
  it('lead from every version to every other, by tombstone and predecessor', async () => {
    const server = await startRoomserver(backend);
    for (const newVersion of ROOM_VERSIONS) {
      for (const roomVersion of newVersion === '6' ? ROOM_VERSIONS : ['1', '12']) {
        const old = await room(server, { roomVersion, preset: 'public_chat', name: 'Name' });
        const next = await upgrade(server, old, { newVersion });
        const state = await stateOf(server, next);
        const before = await stateOf(server, old);
        const [tombstone] = await server.api.queryStateEvents({
          roomId: old,
          keys: [{ type: 'm.room.tombstone', stateKey: '' }],
        });
        assert.equal(tombstone?.json.content.replacement_room, next);
        const create = state['m.room.create'] ?? {};
        assert.equal(create.room_version, newVersion);
        assert.deepEqual(create.predecessor, {
          room_id: old,
          ...(newVersion !== '12' && { event_id: tombstone?.eventId }),
        });
        assert.deepEqual(state['m.room.name'], { name: 'Name' });
        assert.deepEqual(state[`m.room.member ${ALICE}`], { membership: 'join', displayname: 'A' });
        const { users } = state['m.room.power_levels'] as { users: JsonObject };
        const level = users[ALICE];
        assert.equal(level, newVersion === '12' ? undefined : roomVersion === '12' ? 150 : 100);
        assert.deepEqual(
          [before['m.room.power_levels']?.events_default, before['m.room.power_levels']?.invite],
          [50, 50],
        );
        // The owner still has the power that she had.
        await send(server, next, 'm.room.name', { name: 'Other' });
      }
    }
    await server.close();
  });

  it('take over what the specification names, bans and children, and nothing else', async () => {
    const server = await startRoomserver(backend);
    const child = await room(server);
    const contents: Record<string, JsonObject> = {
      'm.room.join_rules': { join_rule: 'knock' },
      'm.room.history_visibility': { history_visibility: 'world_readable' },
      'm.room.guest_access': { guest_access: 'forbidden' },
      'm.room.server_acl': { allow: ['*'], deny: ['evil.test'] },
      'm.room.encryption': { algorithm: 'm.megolm.v1.aes-sha2' },
      'm.room.name': { name: 'Name' },
      'm.room.topic': { topic: 'Topic' },
      'm.room.avatar': { url: 'mxc://here.test/a' },
    };
    const old = await room(server, {
      roomVersion: '10',
      creationContent: { type: 'm.space', 'm.federate': false, 'x.y': 1 },
    });
    for (const [type, content] of Object.entries(contents)) await send(server, old, type, content);
    await send(server, old, 'x.private', { a: 1 });
    await send(server, old, 'm.space.child', { via: ['here.test'] }, child);
    await send(server, old, 'm.space.child', {}, '!gone:here.test');
    const ban = { roomId: old, sender: ALICE, target: BOB, action: 'ban' } as const;
    await server.api.performMembershipChange({
      ...ban,
      content: { reason: 'spam', displayname: 'B' },
    });
    const state = await stateOf(server, await upgrade(server, old));
    const { 'm.room.create': create, 'm.room.power_levels': levels, ...rest } = state;
    const { predecessor: _, ...created } = create ?? {};
    assert.deepEqual(created, { type: 'm.space', 'm.federate': false, room_version: '11' });
    assert.deepEqual(levels?.users, { [ALICE]: 100 });
    assert.deepEqual(rest, {
      ...contents,
      [`m.room.member ${ALICE}`]: { membership: 'join', displayname: 'A' },
      [`m.room.member ${BOB}`]: { membership: 'ban', reason: 'spam' },
      [`m.space.child ${child}`]: { via: ['here.test'] },
    });
    await server.close();
  });

  it('move aliases and the place in the room list', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const alias = '#room:here.test' as RoomAlias;
    const other = '#other:here.test' as RoomAlias;
    const old = await room(server, { roomAliasName: 'room', visibility: 'public' });
    await api.performSetAlias({ alias: other, roomId: old, userId: ALICE });
    const next = await upgrade(server, old);
    for (const one of [alias, other])
      assert.equal((await api.queryAlias({ alias: one })).roomId, next);
    assert.deepEqual((await stateOf(server, next))['m.room.canonical_alias'], { alias });
    assert.deepEqual((await stateOf(server, old))['m.room.canonical_alias'], {});
    const listed = (await api.queryPublicRooms({ limit: 10 })).chunk.map(({ room_id }) => room_id);
    assert.deepEqual(listed, [next]);
    const hidden = await upgrade(server, await room(server));
    assert.deepEqual(await api.queryPublished({ roomId: hidden }), { published: false });
    await server.close();
  });

  it('are for those who may put up a tombstone, whose power stays what it was', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const old = await room(server, { roomVersion: '11', preset: 'public_chat' });
    await join(server, old, BOB);
    const count = async () =>
      (await api.queryRoomsOfUser({ userId: BOB, memberships: ['join'] })).length;
    for (const userId of [BOB, CAROL]) {
      await assert.rejects(upgrade(server, old, { userId }), refusal('M_FORBIDDEN'));
    }
    await assert.rejects(
      upgrade(server, old, { newVersion: '99' }),
      refusal('M_UNSUPPORTED_ROOM_VERSION'),
    );
    await assert.rejects(upgrade(server, '!none:here.test' as RoomId), refusal('M_NOT_FOUND'));
    assert.equal(await count(), 1);
    assert.equal((await stateOf(server, old))['m.room.tombstone'], undefined);
    const levels = (await stateOf(server, old))['m.room.power_levels'] as JsonObject;
    const events = { ...(levels.events as JsonObject), 'm.room.tombstone': 50 };
    const changed = { ...levels, events, users: { [ALICE]: 100, [BOB]: 50 } };
    await send(server, old, 'm.room.power_levels', changed);
    const next = await upgrade(server, old, { userId: BOB });
    // He may not change the levels of the old room, and so they stay.
    for (const roomId of [old, next]) {
      assert.deepEqual((await stateOf(server, roomId))['m.room.power_levels'], changed);
    }
    assert.equal((await stateOf(server, old))['m.room.tombstone']?.replacement_room, next);
    await server.close();
  });

  it('keep or raise the levels that end a room', async () => {
    const server = await startRoomserver(backend);
    for (const [override, wanted] of [
      [{ users_default: 80 }, [81, 81]],
      [{ invite: 90, events_default: 60 }, [60, 90]],
    ] as const) {
      const old = await room(server, { roomVersion: '11', powerLevelContentOverride: override });
      await upgrade(server, old);
      const levels = (await stateOf(server, old))['m.room.power_levels'] ?? {};
      assert.deepEqual([levels.events_default, levels.invite], wanted);
    }
    await server.close();
  });

  it('make one room for who asks twice at once', async () => {
    const server = await startRoomserver(backend);
    const old = await room(server);
    const [first, second] = await Promise.all([upgrade(server, old), upgrade(server, old)]);
    assert.equal(first, second);
    const again = await upgrade(server, old);
    assert.notEqual(again, first);
    assert.equal((await stateOf(server, old))['m.room.tombstone']?.replacement_room, again);
    await server.close();
  });

  it('name additional creators only where the version knows such', async () => {
    const server = await startRoomserver(backend);
    const old = await room(server, { roomVersion: '12' });
    const more = { additionalCreators: [BOB] };
    const known = await upgrade(server, old, { newVersion: '12', ...more });
    assert.deepEqual((await stateOf(server, known))['m.room.create']?.additional_creators, [BOB]);
    const without = await upgrade(server, old, { newVersion: '12' });
    assert.ok(
      !('additional_creators' in ((await stateOf(server, without))['m.room.create'] ?? {})),
    );
    const unknown = await upgrade(server, old, { newVersion: '11', ...more });
    assert.ok(
      !('additional_creators' in ((await stateOf(server, unknown))['m.room.create'] ?? {})),
    );
    await server.close();
  });

  it('leave the old room as it is where the new one cannot be made', async () => {
    const server = await startRoomserver(backend);
    const old = await room(server, { roomVersion: '5' });
    await send(server, old, 'm.room.topic', { topic: 'Topic', float: rawNumber('1.5') as never });
    await assert.rejects(upgrade(server, old), refusal('M_BAD_JSON'));
    assert.equal((await stateOf(server, old))['m.room.tombstone'], undefined);
    await server.close();
  });

  it('put the tombstone into its place where the room has gone on meanwhile', async () => {
    const server = await startRoomserver(backend);
    const { api, context } = server;
    const old = await room(server, { roomVersion: '11', preset: 'public_chat' });
    const create = context.rooms.create.bind(context.rooms);
    context.rooms.create = async (...parts) => {
      const created = await create(...parts);
      await api.performSendEvent({
        roomId: old,
        sender: ALICE,
        type: 'm.room.message',
        content: { n: 1 },
      });
      await send(server, old, 'm.room.topic', { topic: 'meanwhile' });
      return created;
    };
    const next = await upgrade(server, old);
    const state = await stateOf(server, old);
    assert.equal(state['m.room.tombstone']?.replacement_room, next);
    assert.equal(state['m.room.topic']?.topic, 'meanwhile');
    assert.equal((await api.queryRoom({ roomId: old }))?.forwardExtremities.length, 1);
    context.rooms.create = create;
    const other = await room(server, { roomVersion: '11' });
    context.rooms.create = async (...parts) => {
      const created = await create(...parts);
      const levels = { users: { [ALICE]: 60 }, events: { 'm.room.tombstone': 100 } };
      await send(server, other, 'm.room.power_levels', levels);
      return created;
    };
    await assert.rejects(upgrade(server, other), refusal('M_FORBIDDEN'));
    assert.equal((await stateOf(server, other))['m.room.tombstone'], undefined);
    await server.close();
  });

  it('are followed by who comes over from the old room, where its powers allow it', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const alias = '#room:here.test' as RoomAlias;
    const follow = (roomId: RoomId, userId = BOB) => api.performFollowUpgrade({ roomId, userId });
    const old = await room(server, {
      preset: 'public_chat',
      roomAliasName: 'room',
      visibility: 'public',
    });
    await join(server, old, BOB);
    const predecessor = { predecessor: { room_id: old } };
    const claimed = await room(server, { creator: BOB, creationContent: predecessor });
    assert.deepEqual(await follow(claimed), {});
    assert.equal((await api.queryAlias({ alias })).roomId, old);
    const real = await room(server, { preset: 'public_chat', creationContent: predecessor });
    await join(server, real, CAROL);
    assert.deepEqual(await follow(real, CAROL), {});
    assert.equal((await api.queryAlias({ alias })).roomId, old);
    await join(server, real, BOB);
    assert.deepEqual(await follow(real), { predecessor: old });
    assert.equal((await api.queryAlias({ alias })).roomId, real);
    assert.deepEqual(await api.queryPublished({ roomId: old }), { published: false });
    assert.deepEqual(await api.queryPublished({ roomId: real }), { published: true });
    assert.deepEqual(await follow(real), { predecessor: old });
    for (const roomId of [old, '!none:here.test' as RoomId])
      assert.deepEqual(await follow(roomId), {});
    const elsewhere = { predecessor: { room_id: '!gone:here.test' } };
    assert.deepEqual(await follow(await room(server, { creationContent: elsewhere })), {});
    await server.close();
  });
});
