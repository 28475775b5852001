// Upgrades of rooms in which users of several servers are: who follows finds her settings, and her server its addresses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestClient } from '../client.ts';
import { HostileServer } from './hostile-server.ts';
import { type Any, join, roomPath, stateOf, useNetwork } from './scene.ts';

const scene = useNetwork({ servers: 2, roomVersion: '11' });

const nameOf = (index: number) => scene().network.server(index).name;

const upgrade = async (client: TestClient, roomId: string, version = '12'): Promise<string> => {
  const body = { new_version: version };
  return (await client.ok('POST', roomPath(roomId, 'upgrade'), body)).replacement_room;
};

const accountPath = ({ userId }: TestClient, rest: string) =>
  `/v3/user/${encodeURIComponent(userId)}/${rest}`;

const tagsPath = (client: TestClient, roomId: string) =>
  accountPath(client, `rooms/${encodeURIComponent(roomId)}/tags`);

const rulePath = (kind: string, id: string) =>
  `/v3/pushrules/global/${kind}/${encodeURIComponent(id)}`;

async function setUp(client: TestClient, roomId: string): Promise<void> {
  await client.ok('PUT', `${tagsPath(client, roomId)}/m.favourite`, { order: 0.5 });
  await client.ok('PUT', rulePath('room', roomId), { actions: ['notify'] });
  const conditions = [{ kind: 'event_match', key: 'room_id', pattern: roomId }];
  await client.ok('PUT', rulePath('override', roomId), { actions: [], conditions });
  await client.ok('PUT', accountPath(client, 'account_data/m.direct'), {
    '@x:y.z': ['!a:b', roomId],
    n: 1,
  });
}

async function assertMoved(client: TestClient, from: string, to: string): Promise<void> {
  assert.deepEqual((await client.ok('GET', tagsPath(client, to))).tags, {
    'm.favourite': { order: 0.5 },
  });
  assert.deepEqual((await client.ok('GET', rulePath('room', to))).actions, ['notify']);
  const { conditions } = await client.ok('GET', rulePath('override', to));
  assert.deepEqual(conditions, [{ kind: 'event_match', key: 'room_id', pattern: to }]);
  const direct = await client.ok('GET', accountPath(client, 'account_data/m.direct'));
  assert.deepEqual(direct, { '@x:y.z': ['!a:b', from, to], n: 1 });
}

test('settings, aliases and the list of rooms follow those who follow', async () => {
  const scened = scene();
  const [alice, bob] = [await scened.user(0), await scened.user(1)];
  const old = await scened.sharedRoom(alice, [bob]);
  for (const { client } of [alice, bob]) await setUp(client, old);
  const alias = `#followed:${nameOf(1)}`;
  await bob.client.ok('PUT', `/v3/directory/room/${encodeURIComponent(alias)}`, { room_id: old });
  await alice.client.setState(old, 'm.room.power_levels', '', {
    ...(await alice.client.ok('GET', roomPath(old, 'state/m.room.power_levels/'))),
    users: { [alice.client.userId]: 100, [bob.client.userId]: 100 },
  });
  await scened.sameState(old, [alice, bob]);
  await bob.client.ok('PUT', `/v3/directory/list/room/${encodeURIComponent(old)}`, {
    visibility: 'public',
  });

  const next = await upgrade(alice.client, old);
  await assertMoved(alice.client, old, next);
  const resolved = async () =>
    (await bob.client.ok('GET', `/v3/directory/room/${encodeURIComponent(alias)}`)).room_id;
  assert.equal(await resolved(), old);
  await bob.sees(
    old,
    ({ type, content }: Any) => type === 'm.room.tombstone' && content.replacement_room === next,
    'the tombstone',
  );
  await join(bob.client, next, nameOf(0));
  await assertMoved(bob.client, old, next);
  assert.equal(await resolved(), next);
  const { chunk } = await bob.client.ok('GET', '/v3/publicRooms');
  assert.deepEqual(
    chunk.map((room: Any) => room.room_id),
    [next],
  );
  await join(bob.client, next, nameOf(0));
  await assertMoved(bob.client, old, next);
  const same = await scened.sameState(next, [alice, bob]);
  assert.ok(same['m.room.create ']);
});

test('by a user of another server than the one that made the room', async () => {
  const scened = scene();
  const [alice, bob] = [await scened.user(0), await scened.user(1)];
  const old = await scened.sharedRoom(alice, [bob]);
  await setUp(alice.client, old);
  assert.equal(
    (await bob.client.call('POST', roomPath(old, 'upgrade'), { new_version: '11' })).status,
    403,
  );
  const levels = await alice.client.ok('GET', roomPath(old, 'state/m.room.power_levels/'));
  const users = { [alice.client.userId]: 100, [bob.client.userId]: 100 };
  await alice.client.setState(old, 'm.room.power_levels', '', { ...levels, users });
  await scened.sameState(old, [alice, bob]);
  const next = await upgrade(bob.client, old, '11');
  const isTombstone = ({ type, content }: Any) =>
    type === 'm.room.tombstone' && content.replacement_room === next;
  await alice.sees(old, isTombstone, 'the tombstone');
  await join(alice.client, next, nameOf(1));
  await assertMoved(alice.client, old, next);
  const create = await alice.client.ok('GET', roomPath(next, 'state/m.room.create/'));
  assert.deepEqual(create.predecessor.room_id, old);
  const events = await stateOf(alice.client, old);
  assert.equal(create.predecessor.event_id, events['m.room.tombstone ']);
  await scened.sameState(old, [alice, bob]);
});

test('a room that only claims to replace another gets nothing', async (t) => {
  const { network } = scene();
  const alice = await network.server(0).user('claimed');
  const old = await alice.createRoom({ preset: 'public_chat' });
  await setUp(alice, old);
  const hostile = await HostileServer.start();
  t.after(() => hostile.close());
  const eve = hostile.user('eve');
  await hostile.join(nameOf(0), old, eve);
  const createContent = { predecessor: { room_id: old, event_id: '$x' } };
  const fake = hostile.createRoom('11', { creator: eve, createContent });
  await join(alice, fake.roomId, hostile.name);
  const create = await alice.ok('GET', roomPath(fake.roomId, 'state/m.room.create/'));
  assert.equal(create.predecessor.room_id, old);
  assert.deepEqual((await alice.ok('GET', tagsPath(alice, fake.roomId))).tags, {});
  assert.equal((await alice.call('GET', rulePath('room', fake.roomId))).status, 404);
});

test('refusals', async () => {
  const { network } = scene();
  const [alice, bob] = [
    await network.server(0).user('refusing'),
    await network.server(0).user('refused'),
  ];
  const room = await alice.createRoom({ preset: 'public_chat' });
  await join(bob, room);
  const ask = async (client: TestClient, roomId: string, body: object) => {
    const answer = await client.call('POST', roomPath(roomId, 'upgrade'), body);
    return [answer.status, answer.body.errcode];
  };
  assert.deepEqual(await ask(bob, room, { new_version: '11' }), [403, 'M_FORBIDDEN']);
  assert.deepEqual(await ask(alice, room, { new_version: 'x' }), [
    400,
    'M_UNSUPPORTED_ROOM_VERSION',
  ]);
  assert.deepEqual(await ask(alice, room, {}), [400, 'M_MISSING_PARAM']);
  assert.deepEqual(await ask(alice, room, { new_version: 11 }), [400, 'M_BAD_JSON']);
  assert.deepEqual(await ask(alice, room, { new_version: '12', additional_creators: ['x'] }), [
    400,
    'M_INVALID_PARAM',
  ]);
  assert.deepEqual(await ask(alice, '!none:nowhere.invalid', { new_version: '11' }), [
    404,
    'M_NOT_FOUND',
  ]);
  const itself = { replacement_room: room };
  for (const path of ['send/m.room.tombstone/t1', 'state/m.room.tombstone/']) {
    const { status, body } = await alice.call('PUT', roomPath(room, path), itself);
    assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM']);
  }
  assert.equal(
    Object.keys(await stateOf(alice, room)).filter((key) => key.includes('tombstone')).length,
    0,
  );
});
