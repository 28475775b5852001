// Spaces and summaries of rooms: what is told of them, to whom.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { SpaceRoom } from '../../src/roomserver/api.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { foreignEvent, TestKeys } from './foreign-server.ts';
import { ALICE, BOB, startRoomserver, type TestRoomserver } from './harness.ts';

const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });
const SPACE = { type: 'm.space' };

type Settings = Parameters<TestRoomserver['api']['performCreateRoom']>[0]['initialState'];

const rules = (content: JsonObject): Settings => [
  { type: 'm.room.join_rules', stateKey: '', content },
];
const PUBLIC = rules({ join_rule: 'public' });
const visible = (history_visibility: string): Settings => [
  { type: 'm.room.history_visibility', stateKey: '', content: { history_visibility } },
];

async function room(
  { api }: TestRoomserver,
  initialState: Settings = PUBLIC,
  creationContent: JsonObject = {},
): Promise<RoomId> {
  const created = { creator: ALICE, profiles: {}, invite: [], initialState, creationContent };
  return (await api.performCreateRoom(created)).roomId;
}

/** Alice puts it into the space, or takes it out. */
async function child(
  { api }: TestRoomserver,
  space: RoomId,
  stateKey: string,
  content: JsonObject = { via: ['here.test'] },
): Promise<void> {
  await api.performSendEvent({
    roomId: space,
    sender: ALICE,
    type: 'm.space.child',
    stateKey,
    content,
  });
}

/** A space with these rooms in it, in this order. */
async function spaceOf(server: TestRoomserver, rooms: readonly RoomId[]): Promise<RoomId> {
  const space = await room(server, PUBLIC, SPACE);
  for (const [n, roomId] of rooms.entries()) {
    await child(server, space, roomId, { via: ['here.test'], order: `${n}`.padStart(4, '0') });
  }
  return space;
}

type Query = Partial<Parameters<TestRoomserver['api']['querySpace']>[0]>;

async function walk({ api }: TestRoomserver, roomId: RoomId, more: Query = {}) {
  return await api.querySpace({ roomId, userId: BOB, suggestedOnly: false, limit: 100, ...more });
}

const idsOf = (rooms: readonly SpaceRoom[]) => rooms.map(({ room_id }) => room_id);

forEachBackend('spaces', (backend) => {
  it('are walked depth first, each room once, loops or not', async () => {
    const server = await startRoomserver(backend);
    const [a, b, c] = [await room(server), await room(server), await room(server)];
    const inner = await spaceOf(server, [a, b]);
    const outer = await spaceOf(server, [inner, b, c]);
    await child(server, inner, outer);
    assert.deepEqual(idsOf((await walk(server, outer)).rooms), [outer, inner, a, b, c]);
    assert.deepEqual(idsOf((await walk(server, inner)).rooms), [inner, a, b, outer, c]);
    for (const [maxDepth, wanted] of [
      [0, [outer]],
      [1, [outer, inner, b, c]],
      [2, [outer, inner, a, b, c]],
    ] as const) {
      assert.deepEqual(idsOf((await walk(server, outer, { maxDepth })).rooms), wanted);
    }
    await server.close();
  });

  it('have the children that are valid, in their order', async () => {
    const server = await startRoomserver(backend);
    const space = await room(server, PUBLIC, SPACE);
    const made: RoomId[] = [];
    for (let n = 0; n < 8; n++) made.push(await room(server));
    const [a, b, c, d, e, f, g, h] = made as [
      RoomId,
      RoomId,
      RoomId,
      RoomId,
      RoomId,
      RoomId,
      RoomId,
      RoomId,
    ];
    const via = ['here.test'];
    for (const [roomId, content] of [
      [d, { via, order: '\u007f' }],
      [e, { via, order: 'x'.repeat(51) }],
      [c, { via, order: 'b', suggested: true }],
      [b, { via, order: 'aa' }],
      [a, { via, order: ' ' }],
      [f, { via: [] }],
      [g, { via: 'here.test' }],
      [h, {}],
      ['nonsense', { via }],
    ] as const) {
      await child(server, space, roomId, content);
      server.clock.advance(1000);
    }
    const { rooms } = await walk(server, space);
    assert.deepEqual(idsOf(rooms), [space, a, b, c, d, e]);
    const [first] = rooms[0]?.children_state ?? [];
    assert.deepEqual(first, {
      type: 'm.space.child',
      state_key: a,
      sender: ALICE,
      content: { via, order: ' ' },
      origin_server_ts: first?.origin_server_ts,
    });
    assert.equal(typeof first?.origin_server_ts, 'number');
    assert.deepEqual(rooms[1]?.children_state, []);
    const suggested = await walk(server, space, { suggestedOnly: true });
    assert.deepEqual(idsOf(suggested.rooms), [space, c]);
    assert.deepEqual(
      suggested.rooms[0]?.children_state.map(({ state_key }) => state_key),
      [c],
    );
    await child(server, space, a, {});
    assert.deepEqual(idsOf((await walk(server, space)).rooms), [space, b, c, d, e]);
    const plain = await room(server);
    await child(server, plain, a);
    assert.deepEqual(idsOf((await walk(server, plain)).rooms), [plain]);
    await server.close();
  });

  it('are shown in pages that belong to one walk', async () => {
    const server = await startRoomserver(backend);
    const inner = [await room(server), await room(server), await room(server)];
    const space = await spaceOf(server, inner);
    const pages: RoomId[][] = [];
    let from: string | undefined;
    do {
      const page = await walk(server, space, { limit: 2, ...(from !== undefined && { from }) });
      pages.push(idsOf(page.rooms));
      from = page.nextBatch;
    } while (from !== undefined);
    assert.deepEqual(pages, [
      [space, inner[0]],
      [inner[1], inner[2]],
    ]);
    const { nextBatch = '' } = await walk(server, space, { limit: 1, maxDepth: 3 });
    const next = await walk(server, space, { limit: 1, maxDepth: 3, from: nextBatch });
    assert.deepEqual(idsOf(next.rooms), [inner[0]]);
    for (const wrong of [
      { from: nextBatch },
      { from: nextBatch, maxDepth: 2 },
      { from: nextBatch, maxDepth: 3, suggestedOnly: true },
      { from: 'nonsense' },
      { from: '' },
    ]) {
      await assert.rejects(walk(server, space, { limit: 1, ...wrong }), refusal('M_INVALID_PARAM'));
    }
    await server.close();
  });

  it('show users what they may enter or look into, and nothing else', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const club = await room(server);
    const allow = [{ type: 'm.room_membership', room_id: club }];
    const secret = await room(server, rules({ join_rule: 'invite' }));
    const open = await room(server, [
      ...rules({ join_rule: 'invite' }),
      ...visible('world_readable'),
    ]);
    const knock = await room(server, rules({ join_rule: 'knock' }));
    const restricted = await room(server, rules({ join_rule: 'restricted', allow }));
    const either = await room(server, rules({ join_rule: 'knock_restricted', allow }));
    const banned = await room(server);
    const looked = await room(server, [...PUBLIC, ...visible('world_readable')]);
    const left = await room(server, rules({ join_rule: 'invite' }));
    const joined = await room(server, rules({ join_rule: 'invite' }));
    const change = async (roomId: RoomId, action: 'invite' | 'ban' | 'kick') => {
      await api.performMembershipChange({
        roomId,
        sender: ALICE,
        target: BOB,
        action,
        content: {},
      });
    };
    const join = async (roomIdOrAlias: RoomId) => {
      await api.performJoin({ roomIdOrAlias, userId: BOB, serverNames: [], content: {} });
    };
    for (const roomId of [banned, looked]) await change(roomId, 'ban');
    for (const roomId of [left, joined]) {
      await change(roomId, 'invite');
      await join(roomId);
    }
    await change(left, 'kick');
    const all = [secret, open, knock, restricted, either, banned, looked, left, joined];
    const space = await spaceOf(server, all);
    const seen = async () => idsOf((await walk(server, space)).rooms).slice(1);
    assert.deepEqual(await seen(), [open, knock, either, looked, joined]);
    await join(club);
    await change(secret, 'invite');
    assert.deepEqual(await seen(), [secret, open, knock, restricted, either, looked, joined]);
    for (const roomId of [banned, left]) {
      await assert.rejects(walk(server, roomId), refusal('M_FORBIDDEN'));
      const summary = api.queryRoomSummary({ roomIdOrAlias: roomId, userId: BOB, serverNames: [] });
      await assert.rejects(summary, refusal('M_NOT_FOUND'));
    }
    await assert.rejects(walk(server, '!none:here.test' as RoomId), refusal('M_FORBIDDEN'));
    await server.close();
  });

  it('and other rooms are summed up', async () => {
    const server = await startRoomserver(backend);
    const { api } = server;
    const club = await room(server);
    const allow = [{ type: 'm.room_membership', room_id: club }];
    const roomId = await room(server, [
      ...rules({ join_rule: 'knock_restricted', allow }),
      ...visible('world_readable'),
      { type: 'm.room.encryption', stateKey: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ]);
    const ask = (userId: UserId, roomIdOrAlias: string = roomId) =>
      api.queryRoomSummary({ roomIdOrAlias, userId, serverNames: [] });
    assert.deepEqual(await ask(BOB), {
      room_id: roomId,
      num_joined_members: 1,
      world_readable: true,
      guest_can_join: true,
      join_rule: 'knock_restricted',
      allowed_room_ids: [club],
      encryption: 'm.megolm.v1.aes-sha2',
      room_version: '12',
      membership: 'leave',
    });
    const invite = { roomId, sender: ALICE, target: BOB, action: 'invite', content: {} } as const;
    await api.performMembershipChange(invite);
    assert.equal((await ask(BOB)).membership, 'invite');
    assert.equal((await ask(ALICE)).membership, 'join');
    await assert.rejects(ask(BOB, '!none:here.test'), refusal('M_NOT_FOUND'));
    await assert.rejects(ask(BOB, '#none:here.test'), refusal('M_NOT_FOUND'));
    await assert.rejects(ask(BOB, '#none:other.test'), refusal('M_NOT_FOUND'));
    await assert.rejects(ask(BOB, 'nonsense'), refusal('M_INVALID_PARAM'));
    await server.close();
  });

  it('show other servers what their users may enter or look into', async () => {
    const keys = new TestKeys();
    const server = await startRoomserver(backend, { keyRing: keys });
    const { api } = server;
    const other = 'other.test' as ServerName;
    const zoe = '@zoe:other.test' as UserId;
    const club = await room(server);
    const allow = [{ type: 'm.room_membership', room_id: club }];
    const acl = { type: 'm.room.server_acl', stateKey: '' };
    const secret = await room(server, rules({ join_rule: 'invite' }));
    const open = await room(server, [
      ...rules({ join_rule: 'invite' }),
      ...visible('world_readable'),
    ]);
    const restricted = await room(server, rules({ join_rule: 'restricted', allow }));
    const denied = await room(server, [
      ...PUBLIC,
      ...visible('world_readable'),
      { ...acl, content: { allow: ['*'], deny: ['other.test'] } },
    ]);
    const ours = await room(server, PUBLIC, { 'm.federate': false });
    const remote = '!remote:other.test' as RoomId;
    const all = [secret, open, restricted, denied, ours, remote];
    const space = await spaceOf(server, all);
    await child(server, space, open, { via: ['here.test'], order: '0001', suggested: true });
    const ask = async (roomId = space, suggestedOnly = false) => {
      const told = await api.querySpaceFor({ origin: other, roomId, suggestedOnly });
      return { ...told, children: idsOf(told.children) };
    };
    const told = await ask();
    assert.equal(told.room.room_id, space);
    assert.deepEqual(
      told.room.children_state.map(({ state_key }) => state_key),
      all,
    );
    assert.deepEqual(told.children, [open]);
    assert.deepEqual(told.inaccessibleChildren, [secret, restricted, denied, ours]);
    const suggested = await ask(space, true);
    assert.deepEqual(suggested.room.children_state.length, 1);
    assert.deepEqual([suggested.children, suggested.inaccessibleChildren], [[open], []]);
    for (const roomId of [secret, restricted, denied, ours, remote]) {
      await assert.rejects(ask(roomId), refusal('M_NOT_FOUND'));
    }
    const content = { membership: 'join' };
    const type = 'm.room.member';
    const join = await foreignEvent(server, keys, {
      roomId: club,
      sender: zoe,
      type,
      stateKey: zoe,
      content,
    });
    const [fate] = await api.inputEvents({
      roomId: club,
      origin: other,
      events: [join],
      kind: 'new',
    });
    assert.equal(fate?.fate, 'accepted');
    assert.deepEqual((await ask()).children, [open, restricted]);
    assert.equal((await ask(restricted)).room.room_id, restricted);
    await server.close();
  });
});
