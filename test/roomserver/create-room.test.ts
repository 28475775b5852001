// POST /createRoom: what a room begins with, and that it is made whole or not at all.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { RoomAlias, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { CreateRoomRequest } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, startRoomserver, type TestRoomserver } from './harness.ts';

const DAVE_ELSEWHERE = '@dave:there.test' as UserId;
const ALIAS = '#pub:here.test' as RoomAlias;

type Options = Partial<CreateRoomRequest>;

function create({ api }: TestRoomserver, options: Options = {}) {
  return api.performCreateRoom({
    creator: ALICE,
    profiles: {},
    invite: [],
    initialState: [],
    ...options,
  });
}

interface Sent {
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
}

/** The events of the room in the order of the log, without what tells each from the others. */
async function eventsOf(server: TestRoomserver, roomId: RoomId): Promise<Sent[]> {
  const entries = await server.entries(roomId);
  return entries.map((entry) => {
    assert.equal(entry.kind, 'NewRoomEvent');
    const { json } = (entry as Extract<typeof entry, { kind: 'NewRoomEvent' }>).event;
    const { type, state_key: stateKey, sender, content } = json;
    return { type, stateKey, sender, content };
  });
}

const keysOf = (events: readonly Sent[]) => events.map(({ type, stateKey }) => [type, stateKey]);

async function contentOf(server: TestRoomserver, roomId: RoomId, type: string, stateKey = '') {
  const [event] = await server.api.queryStateEvents({ roomId, keys: [{ type, stateKey }] });
  return event?.json.content;
}

async function countRows(server: TestRoomserver): Promise<number[]> {
  const counts = await Promise.all([
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_rooms`),
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_events`),
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_state_nodes`),
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_memberships`),
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_aliases`),
    server.database.get<{ n: number }>(sql`SELECT COUNT(*) AS n FROM roomserver_published`),
    server.eventLog.head('roomserver.output').then((n) => ({ n })),
  ]);
  return counts.map((count) => count?.n ?? -1);
}

/** Refused with the errcode, and nothing is left of it. */
async function refused(server: TestRoomserver, options: Options, errcode: string): Promise<void> {
  const before = await countRows(server);
  await assert.rejects(create(server, options), { name: 'MatrixError', errcode });
  assert.deepEqual(await countRows(server), before);
}

forEachBackend('creating rooms', (backend) => {
  it('applies everything in the order of the specification', async () => {
    const server = await startRoomserver(backend);
    const created = await create(server, {
      visibility: 'public',
      roomAliasName: 'pub',
      name: 'The Pub',
      topic: 'All about happy hour',
      invite: [BOB, CAROL, BOB, ALICE],
      isDirect: true,
      profiles: {
        [ALICE]: { displayname: 'Alice', avatar_url: 'mxc://here.test/a' },
        [BOB]: { displayname: 'Bob' },
      },
      initialState: [
        { type: 'm.room.guest_access', stateKey: '', content: { guest_access: 'can_join' } },
        { type: 'm.room.name', stateKey: '', content: { name: 'overwritten' } },
        { type: 'org.example', stateKey: 'k', content: { a: 1 } },
      ],
      creationContent: { 'm.federate': false, type: 'm.space', room_version: '1', creator: BOB },
    });
    assert.equal(created.roomAlias, ALIAS);
    const events = await eventsOf(server, created.roomId);
    assert.deepEqual(keysOf(events), [
      ['m.room.create', ''],
      ['m.room.member', ALICE],
      ['m.room.power_levels', ''],
      ['m.room.canonical_alias', ''],
      ['m.room.join_rules', ''],
      ['m.room.history_visibility', ''],
      ['m.room.guest_access', ''],
      ['org.example', 'k'],
      ['m.room.name', ''],
      ['m.room.topic', ''],
      ['m.room.member', BOB],
      ['m.room.member', CAROL],
    ]);
    assert.ok(events.every(({ sender }) => sender === ALICE));
    const contents = events.map(({ content }) => content);
    assert.deepEqual(contents[0], { 'm.federate': false, type: 'm.space', room_version: '12' });
    assert.deepEqual(contents[1], {
      membership: 'join',
      displayname: 'Alice',
      avatar_url: 'mxc://here.test/a',
    });
    assert.deepEqual(contents[3], { alias: ALIAS });
    assert.deepEqual(contents[8], { name: 'The Pub' });
    assert.equal(contents[9]?.topic, 'All about happy hour');
    assert.deepEqual(contents[10], { membership: 'invite', displayname: 'Bob', is_direct: true });
    assert.deepEqual(contents[11], { membership: 'invite', is_direct: true });
    const room = await server.api.queryRoom({ roomId: created.roomId });
    assert.deepEqual([room?.joinedMembers, room?.invitedMembers], [1, 2]);
    assert.deepEqual(await server.api.queryPublished(created), { published: true });
    assert.equal((await server.api.queryAlias({ alias: ALIAS })).roomId, created.roomId);
    assert.equal((await server.entries(created.roomId)).at(-1)?.position, created.position);
    await server.close();
  });

  const presets = [
    [{ preset: 'private_chat' }, 'invite', 'can_join'],
    [{ preset: 'trusted_private_chat', visibility: 'public' }, 'invite', 'can_join'],
    [{ preset: 'public_chat', visibility: 'private' }, 'public', 'forbidden'],
    [{ visibility: 'public' }, 'public', 'forbidden'],
    [{ visibility: 'private' }, 'invite', 'can_join'],
    [{}, 'invite', 'can_join'],
  ] as const;
  it('has the state of its preset, which visibility chooses where none is named', async () => {
    const server = await startRoomserver(backend);
    for (const [options, joinRule, guestAccess] of presets) {
      const { roomId } = await create(server, options);
      const content = (type: string) => contentOf(server, roomId, type);
      assert.deepEqual(await content('m.room.join_rules'), { join_rule: joinRule });
      assert.deepEqual(await content('m.room.guest_access'), { guest_access: guestAccess });
      assert.deepEqual(await content('m.room.history_visibility'), {
        history_visibility: 'shared',
      });
      const published = 'visibility' in options && options.visibility === 'public';
      assert.deepEqual(await server.api.queryPublished({ roomId }), { published });
    }
    await server.close();
  });

  it('gives the creator power by the rules of the room version', async () => {
    const server = await startRoomserver(backend);
    for (const roomVersion of ['1', '2', '5', '10', '11', '12']) {
      const { roomId } = await create(server, { roomVersion, invite: [BOB] });
      const createContent = await contentOf(server, roomId, 'm.room.create');
      const levels = await contentOf(server, roomId, 'm.room.power_levels');
      const tombstone = (levels?.events as JsonObject | undefined)?.['m.room.tombstone'];
      assert.equal(createContent?.room_version, roomVersion);
      assert.equal(createContent?.creator, Number(roomVersion) < 11 ? ALICE : undefined);
      assert.deepEqual(levels?.users, roomVersion === '12' ? {} : { [ALICE]: 100 });
      assert.equal(tombstone, roomVersion === '12' ? 150 : 100);
      assert.equal(roomId.includes(':'), roomVersion !== '12');
      const { userLevel } = await server.api.queryPower({ roomId, userId: ALICE });
      assert.equal(userLevel, roomVersion === '12' ? Number.MAX_SAFE_INTEGER : 100);
    }
    await server.close();
  });

  it('makes everybody invited to a trusted private chat as mighty as its creator', async () => {
    const server = await startRoomserver(backend);
    const preset = 'trusted_private_chat';
    const old = await create(server, { preset, roomVersion: '11', invite: [BOB, CAROL] });
    assert.deepEqual((await contentOf(server, old.roomId, 'm.room.power_levels'))?.users, {
      [ALICE]: 100,
      [BOB]: 100,
      [CAROL]: 100,
    });
    const now = await create(server, {
      preset,
      invite: [BOB, CAROL],
      creationContent: { additional_creators: [DAVE_ELSEWHERE, BOB] },
    });
    const createContent = await contentOf(server, now.roomId, 'm.room.create');
    assert.deepEqual(createContent?.additional_creators, [DAVE_ELSEWHERE, BOB, CAROL]);
    assert.deepEqual((await contentOf(server, now.roomId, 'm.room.power_levels'))?.users, {});
    const alone = await create(server, { preset });
    assert.equal(
      (await contentOf(server, alone.roomId, 'm.room.create'))?.additional_creators,
      undefined,
    );
    await server.close();
  });

  it('lets the request override power levels, property by property', async () => {
    const server = await startRoomserver(backend);
    const { roomId } = await create(server, {
      powerLevelContentOverride: { invite: 75, state_default: 200, events: { 'm.room.name': 1 } },
    });
    const levels = await contentOf(server, roomId, 'm.room.power_levels');
    assert.deepEqual([levels?.invite, levels?.kick, levels?.state_default], [75, 50, 200]);
    // Replacing the room stays above what other state takes, unless it is named.
    assert.deepEqual(levels?.events, { 'm.room.name': 1, 'm.room.tombstone': 201 });
    const named = await create(server, {
      powerLevelContentOverride: { events: { 'm.room.tombstone': 60 } },
    });
    assert.deepEqual((await contentOf(server, named.roomId, 'm.room.power_levels'))?.events, {
      'm.room.tombstone': 60,
    });
    await server.close();
  });

  it('lets initial_state list the alias that the room is made with', async () => {
    const server = await startRoomserver(backend);
    const content = { alias: ALIAS, alt_aliases: [ALIAS] };
    const { roomId } = await create(server, {
      roomAliasName: 'pub',
      initialState: [{ type: 'm.room.canonical_alias', stateKey: '', content }],
    });
    assert.deepEqual(await contentOf(server, roomId, 'm.room.canonical_alias'), content);
    await server.close();
  });

  it('refuses what cannot be, and leaves nothing behind', async () => {
    const server = await startRoomserver(backend);
    await create(server, { roomAliasName: 'taken' });
    const state = (type: string, content: JsonObject, stateKey = '') => ({
      initialState: [{ type, stateKey, content }],
    });
    const refusals: [Options, string][] = [
      [{ roomVersion: '99' }, 'M_UNSUPPORTED_ROOM_VERSION'],
      [{ roomVersion: '__proto__' }, 'M_UNSUPPORTED_ROOM_VERSION'],
      [{ roomAliasName: 'taken', visibility: 'public' }, 'M_ROOM_IN_USE'],
      [{ roomAliasName: 'a:b' }, 'M_INVALID_PARAM'],
      [{ roomAliasName: '' }, 'M_INVALID_PARAM'],
      [{ roomAliasName: 'x'.repeat(250) }, 'M_INVALID_PARAM'],
      [state('m.room.member', { membership: 'invite' }, DAVE_ELSEWHERE), 'M_FORBIDDEN'],
      [state('m.room.member', { membership: 'join' }, BOB), 'M_INVALID_ROOM_STATE'],
      [state('m.room.create', {}), 'M_INVALID_ROOM_STATE'],
      [state('m.room.canonical_alias', { alias: '#taken:here.test' }), 'M_BAD_ALIAS'],
      [state('m.room.canonical_alias', { alias: 'taken' }), 'M_INVALID_PARAM'],
      [state('org.example', { float: 1.5 }), 'M_BAD_JSON'],
      [state('org.example', { big: 'x'.repeat(70_000) }), 'M_TOO_LARGE'],
      [
        {
          name: 'unnameable',
          roomVersion: '11',
          roomAliasName: 'new',
          visibility: 'public',
          powerLevelContentOverride: { users: { [ALICE]: 10 } },
        },
        'M_INVALID_ROOM_STATE',
      ],
      [{ powerLevelContentOverride: { users: { [ALICE]: 100 } } }, 'M_INVALID_ROOM_STATE'],
      [{ powerLevelContentOverride: { users: 'all' } }, 'M_INVALID_ROOM_STATE'],
      [{ creationContent: { additional_creators: 'me' } }, 'M_INVALID_ROOM_STATE'],
      [
        { preset: 'trusted_private_chat', creationContent: { additional_creators: ['me'] } },
        'M_INVALID_ROOM_STATE',
      ],
      [
        { invite: Array.from({ length: 1000 }, (_, i) => `@u${i}:here.test` as UserId) },
        'M_TOO_LARGE',
      ],
    ];
    for (const [options, errcode] of refusals) await refused(server, options, errcode);
    // What was refused is still free.
    await create(server, { roomAliasName: 'new' });
    await server.close();
  });

  it('gives an alias to one of those who want it at the same time, and makes no other room', async () => {
    const server = await startRoomserver(backend);
    const wanted = Array.from({ length: 6 }, (_, i) =>
      create(server, { roomAliasName: 'pub', name: `room ${i}`, visibility: 'public' }),
    );
    // Rooms without an alias share the transactions of those that are refused.
    const others = Array.from({ length: 6 }, () => create(server));
    const results = await Promise.allSettled(wanted);
    const made = results.filter((result) => result.status === 'fulfilled');
    const refusals = results.filter((result) => result.status === 'rejected');
    assert.equal(made.length, 1);
    for (const { reason } of refusals) assert.equal(reason.errcode, 'M_ROOM_IN_USE');
    const roomId = made[0]?.value.roomId;
    assert.equal((await server.api.queryAlias({ alias: ALIAS })).roomId, roomId);
    assert.equal(new Set((await Promise.all(others)).map((other) => other.roomId)).size, 6);
    const [rooms, , , , aliases, published] = await countRows(server);
    assert.deepEqual([rooms, aliases, published], [7, 1, 1]);
    const listed = await server.api.queryPublicRooms({ limit: 10 });
    assert.deepEqual(
      listed.chunk.map((room) => room.room_id),
      [roomId],
    );
    await server.close();
  });

  it('makes rooms of different ids when the same is asked for at the same moment', async () => {
    const server = await startRoomserver(backend);
    const made = await Promise.all(Array.from({ length: 5 }, () => create(server)));
    assert.equal(new Set(made.map(({ roomId }) => roomId)).size, 5);
    await server.close();
  });

  it('makes nothing when the commit fails', async () => {
    let isFailing = false;
    const beforeCommit = async () => {
      if (isFailing) throw new Error('disk full');
    };
    const server = await startRoomserver(backend, { beforeCommit });
    const before = await countRows(server);
    isFailing = true;
    await assert.rejects(create(server, { roomAliasName: 'pub', visibility: 'public' }));
    isFailing = false;
    assert.deepEqual(await countRows(server), before);
    await create(server, { roomAliasName: 'pub', visibility: 'public' });
    await server.close();
  });
});
