// Spaces across servers, and summaries of rooms elsewhere: of a server that runs, and of one that says what it likes.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { TestClient } from '../client.ts';
import { HostileServer, Refusal } from './hostile-server.ts';
import { type Any, join, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2 });

const nameOf = (index: number) => scene().network.server(index).name;
const idsOf = ({ rooms }: Any) => rooms.map((room: Any) => room.room_id);

let users = 0;

function user(server: number): Promise<TestClient> {
  users += 1;
  return scene().network.server(server).user(`s${users}`);
}

const hierarchy = (roomId: string, query = '') =>
  `/v1/rooms/${encodeURIComponent(roomId)}/hierarchy${query}`;
const summary = (room: string, via?: string) =>
  `/v1/room_summary/${encodeURIComponent(room)}${via === undefined ? '' : `?via=${encodeURIComponent(via)}`}`;

function put(client: TestClient, space: string, child: string, via: string, order = 'a') {
  return client.setState(space, 'm.space.child', child, { via: [via], order });
}

const space = (client: TestClient, more = {}) =>
  client.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, ...more });

const WORLD = [
  { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
];

test('rooms of other servers are shown with what their servers say of them', async () => {
  const [alice, bob] = [await user(0), await user(1)];
  const open = await alice.createRoom({ preset: 'public_chat', name: 'Open' });
  const closed = await alice.createRoom({ preset: 'private_chat', name: 'Closed' });
  const looked = await alice.createRoom({ preset: 'private_chat', initial_state: WORLD });
  const inner = await space(alice, { name: 'Inner' });
  const club = await alice.createRoom({ preset: 'public_chat' });
  const allow = [{ type: 'm.room_membership', room_id: club }];
  const members = await alice.createRoom({
    initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }],
  });
  for (const [n, roomId] of [open, closed, looked, members].entries()) {
    await put(alice, inner, roomId, nameOf(0), `${n}`);
  }
  const outer = await space(bob, { name: 'Outer' });
  await put(bob, outer, inner, nameOf(0));
  const { rooms } = await bob.ok('GET', hierarchy(outer));
  assert.deepEqual(
    rooms.map((room: Any) => room.room_id),
    [outer, inner, open, looked],
  );
  const [, innerRoom, openRoom, lookedRoom] = rooms;
  assert.equal(innerRoom.children_state.length, 4);
  assert.deepEqual(
    [openRoom.name, openRoom.world_readable, openRoom.children_state],
    ['Open', false, []],
  );
  assert.equal(lookedRoom.world_readable, true);
  const page = await bob.ok('GET', hierarchy(outer, '?limit=3'));
  const rest = await bob.ok('GET', hierarchy(outer, `?limit=3&from=${page.next_batch}`));
  assert.deepEqual([...idsOf(page), ...idsOf(rest)], idsOf({ rooms }));

  await join(bob, club, nameOf(0));
  const { link } = scene().network;
  const asked = () =>
    link(1, 0).exchanges.filter(({ path }) => path.includes('/hierarchy/')).length;
  const before = asked();
  // What was told of it before is still believed: the server was in none of the rooms then.
  assert.deepEqual(idsOf(await bob.ok('GET', hierarchy(outer))), [outer, inner, open, looked]);
  assert.equal(asked(), before);
  const { body } = await bob.call('GET', summary(members, nameOf(0)));
  assert.deepEqual(
    [body.join_rule, body.allowed_room_ids, body.membership],
    ['restricted', [club], 'leave'],
  );
  const carol = await user(1);
  assert.equal((await carol.call('GET', summary(members, nameOf(0)))).status, 404);
});

test('a space of another server is found by the domain in its id, or by an invite', async () => {
  const [alice, bob] = [await user(0), await user(1)];
  const room = await alice.createRoom({ preset: 'public_chat' });
  const old = await space(alice, { room_version: '11' });
  await put(alice, old, room, nameOf(0));
  assert.deepEqual(idsOf(await bob.ok('GET', hierarchy(old))), [old, room]);
  const secret = await space(alice, { preset: 'private_chat' });
  await put(alice, secret, room, nameOf(0));
  assert.equal((await bob.call('GET', hierarchy(secret))).status, 403);
  await alice.ok('POST', `/v3/rooms/${encodeURIComponent(secret)}/invite`, { user_id: bob.userId });
  assert.deepEqual(idsOf(await bob.ok('GET', hierarchy(secret))), [secret, room]);
});

test('the state that is here counts more than what is told', async () => {
  const [alice, bob] = [await user(0), await user(1)];
  const room = await alice.createRoom({ preset: 'public_chat', name: 'Here' });
  await join(bob, room, nameOf(0));
  const outer = await space(bob);
  await put(bob, outer, room, 'nowhere.invalid');
  const { rooms } = await bob.ok('GET', hierarchy(outer));
  assert.deepEqual([rooms[1].name, rooms[1].num_joined_members], ['Here', 2]);
});

test('rooms of other servers are summed up for who may know of them', async () => {
  const [alice, bob] = [await user(0), await user(1)];
  const room = await alice.createRoom({
    preset: 'private_chat',
    name: 'Looked',
    room_alias_name: 'looked',
    initial_state: WORLD,
  });
  const expected = await alice.ok('GET', summary(room));
  assert.equal(expected.world_readable, true);
  for (const path of [summary(room, nameOf(0)), summary(`#looked:${nameOf(0)}`)]) {
    assert.deepEqual(await bob.ok('GET', path), { ...expected, membership: 'leave' });
  }
  const secret = await alice.createRoom({ preset: 'private_chat' });
  for (const path of [
    summary(secret, nameOf(0)),
    summary(secret),
    summary('!none:nowhere.invalid', nameOf(0)),
    summary(`#none:${nameOf(0)}`),
  ]) {
    const { status, body } = await bob.call('GET', path);
    assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND']);
  }
  await alice.ok('POST', `/v3/rooms/${encodeURIComponent(secret)}/invite`, { user_id: bob.userId });
  const invited = await bob.ok('GET', summary(secret));
  assert.deepEqual([invited.membership, invited.join_rule], ['invite', 'invite']);
  const carol = await user(1);
  assert.equal((await carol.call('GET', summary(secret, nameOf(0)))).status, 404);
});

const fine = (roomId: string, more: JsonObject = {}): JsonObject => ({
  room_id: roomId,
  num_joined_members: 3,
  world_readable: true,
  guest_can_join: false,
  ...more,
});

const childOf = (roomId: string, via: string, more: JsonObject = {}): JsonObject => ({
  type: 'm.space.child',
  state_key: roomId,
  sender: '@eve:evil.example',
  content: { via: [via] },
  origin_server_ts: 1,
  ...more,
});

/** Answers of a hostile server by room id; all else is not found. */
async function hostile(
  t: TestContext,
  answers: (server: HostileServer) => Record<string, JsonObject>,
) {
  const server = await HostileServer.start();
  t.after(() => server.close());
  server.on(/^\/_matrix\/federation\/v1\/hierarchy\/(.+)$/, ({ parts: [roomId = ''] }) => {
    const answer = answers(server)[roomId];
    if (answer === undefined) throw new Refusal(404, { errcode: 'M_NOT_FOUND' });
    return answer;
  });
  const bob = await user(1);
  const outer = await space(bob);
  return { server, bob, outer, asked: () => server.askedFor(/hierarchy/).length };
}

test('what a server says is read with care', async (t) => {
  const { server, bob, outer } = await hostile(t, ({ name }) => ({
    '!s:evil': {
      room: fine('!s:evil', {
        room_type: 'm.space',
        evil: 1,
        allowed_room_ids: ['!a:b', 'nonsense', 1],
        children_state: [
          childOf('!a:evil', name, { content: { via: [name], order: 'z', more: 1.5 } }),
          childOf('!a:evil', name, { content: { via: [name], order: 'a' } }),
          childOf('!b:evil', name),
          childOf('!gone:evil', name),
          childOf('!secret:evil', name),
          childOf('!c:evil', name, { type: 'm.room.member' }),
          childOf('!c:evil', name, { content: {} }),
          childOf('!c:evil', name, { content: 'via' }),
          childOf('!c:evil', name, { sender: 1 }),
          childOf('!c:evil', name, { origin_server_ts: 'now' }),
          childOf('c', name),
          'child',
          null,
        ],
      }),
      children: [
        fine('!a:evil', { name: 'A', children_state: [childOf('!c:evil', name)] }),
        fine('!b:evil', { world_readable: false, join_rule: 'invite' }),
        fine('!unlisted:evil'),
        { room_id: '!secret:evil' },
        7,
      ],
      inaccessible_children: ['!gone:evil', 7, {}],
    },
    '!gone:evil': { room: fine('!gone:evil'), children: [], inaccessible_children: [] },
    '!lie:evil': { room: fine('!other:evil'), children: [], inaccessible_children: [] },
    '!none:evil': { room: 'none', children: {}, inaccessible_children: 1 },
  }));
  for (const roomId of ['!s:evil', '!lie:evil', '!none:evil'])
    await put(bob, outer, roomId, server.name, roomId);
  const { rooms } = await bob.ok('GET', hierarchy(outer));
  const [, told] = rooms;
  assert.deepEqual(idsOf({ rooms }), [outer, '!s:evil', '!a:evil']);
  assert.deepEqual(
    told.children_state.map((one: Any) => one.state_key),
    ['!a:evil', '!b:evil', '!gone:evil', '!secret:evil'],
  );
  assert.deepEqual(told.allowed_room_ids, ['!a:b']);
  assert.ok(!('evil' in told));
  assert.deepEqual(rooms[2], fine('!a:evil', { name: 'A', children_state: [] }));
});

test('a server that lets spaces grow without end is not asked for ever', async (t) => {
  let made = 0;
  const { server, bob, outer, asked } = await hostile(
    t,
    ({ name }) =>
      new Proxy(
        {},
        {
          get: (_, roomId: string) => {
            const children = [1, 2, 3].map(() => childOf(`!g${made++}:evil`, name));
            const room = fine(roomId, { room_type: 'm.space', children_state: children });
            return { room, children: [], inaccessible_children: [] };
          },
        },
      ),
  );
  await put(bob, outer, '!root:evil', server.name);
  const first = await bob.ok('GET', hierarchy(outer, '?limit=200'));
  assert.equal(asked(), 60);
  assert.equal(first.rooms.length, 61);
  const second = await bob.ok('GET', hierarchy(outer, `?limit=200&from=${first.next_batch}`));
  assert.equal(asked(), 120);
  assert.equal(second.rooms.length, 60);
  const all = new Set([...idsOf(first), ...idsOf(second)]);
  assert.equal(all.size, 121);
});

test('servers that do not answer are asked once for a while, and three of them at most', async (t) => {
  const { server, bob, outer, asked } = await hostile(t, () => ({}));
  const dead = await HostileServer.start();
  await dead.close();
  const names = [dead.name, server.name, 'a.invalid', 'b.invalid'];
  await bob.setState(outer, 'm.space.child', '!x:evil', { via: names });
  await put(bob, outer, '!y:evil', dead.name);
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(idsOf(await bob.ok('GET', hierarchy(outer))), [outer]);
    assert.equal(asked(), 1);
  }
  const { status, body } = await bob.call('GET', hierarchy('!x:evil'));
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN']);
});

test('servers are told of spaces of ours that they may know of', async (t) => {
  const alice = await user(0);
  const { server } = await hostile(t, () => ({}));
  const open = await alice.createRoom({ preset: 'public_chat' });
  const closed = await alice.createRoom({ preset: 'private_chat' });
  const parent = await space(alice);
  for (const roomId of [open, closed]) await put(alice, parent, roomId, nameOf(0));
  const ask = (roomId: string, query = '') => {
    const path = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(roomId)}${query}`;
    return server.request(nameOf(0), 'GET', path);
  };
  const { status, body } = await ask(parent);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ['children', 'inaccessible_children', 'room']);
  assert.equal(body.room.children_state.length, 2);
  assert.deepEqual(idsOf({ rooms: body.children }), [open]);
  assert.deepEqual(body.inaccessible_children, [closed]);
  assert.deepEqual((await ask(parent, '?suggested_only=true')).body.children, []);
  for (const roomId of [closed, '!none:nowhere.invalid']) {
    const refused = await ask(roomId);
    assert.deepEqual([refused.status, refused.body.errcode], [404, 'M_NOT_FOUND']);
  }
  assert.equal((await ask(parent, '?suggested_only=maybe')).status, 400);
  const invite = { user_id: server.user('eve') };
  await alice.ok('POST', `/v3/rooms/${encodeURIComponent(closed)}/invite`, invite);
  assert.equal((await ask(closed)).status, 200);
  assert.deepEqual((await ask(parent)).body.inaccessible_children, []);
  const acl = { allow: ['*'], deny: [server.name.split(':')[0] ?? ''] };
  await alice.setState(closed, 'm.room.server_acl', '', acl);
  assert.equal((await ask(closed)).status, 404);
});
