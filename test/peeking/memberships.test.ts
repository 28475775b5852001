// Peeks beside memberships: what `peek`, `join`, `invite`, `knock` and `leave` show, and on which device.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginAgain } from '../client.ts';
import {
  type Any,
  bodies,
  change,
  isWhole,
  join,
  leave,
  peek,
  peekPath,
  refusal,
  roomPath,
  sectionsOf,
  types,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

const PUBLIC = { preset: 'public_chat' };

function knock(client: { ok(method: string, path: string, body: unknown): Any }, room: string) {
  return client.ok('POST', `/v3/knock/${encodeURIComponent(room)}`, {});
}

test('one who is invited may look: the invite stands beside the peek, whatever comes first', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await change(scene().member, room, 'invite', client);
  const invited = await client.sync({ since });
  assert.deepEqual(sectionsOf(invited, room).sort(), ['invite', 'peek']);
  assert.deepEqual(types(invited.rooms.peek[room]), ['m.room.member']);
  const other = await scene().newUser();
  await change(scene().member, room, 'invite', other);
  await peek(other, room);
  const first = await other.sync();
  assert.deepEqual(sectionsOf(first, room).sort(), ['invite', 'peek']);
  assert.ok(isWhole(first.rooms.peek[room]));
});

test('an invite that is declined, or taken back, ends while the peek goes on', async () => {
  for (const isDeclined of [true, false]) {
    const room = await scene().openRoom();
    const { client, since } = await scene().looking(room);
    const other = await loginAgain(client);
    await change(scene().member, room, 'invite', client);
    const invited = await client.sync({ since });
    const otherInvited = await other.sync();
    if (isDeclined) await leave(client, room);
    else await change(scene().member, room, 'kick', client);
    const declined = await client.sync({ since: invited.next_batch });
    assert.deepEqual(sectionsOf(declined, room), ['peek']);
    assert.deepEqual(types(declined.rooms.peek[room]), ['m.room.member']);
    const elsewhere = await other.sync({ since: otherInvited.next_batch });
    assert.deepEqual(sectionsOf(elsewhere, room), ['leave']);
    await scene().member.send(room, 'goes on');
    const { rooms } = await client.sync({ since: declined.next_batch });
    assert.deepEqual(bodies(rooms.peek[room]), ['goes on']);
  }
});

test('one who knocks may look, and hears of the answer', async () => {
  const room = await scene().openRoom();
  const rule = await scene().member.setState(room, 'm.room.join_rules', '', { join_rule: 'knock' });
  assert.ok(rule);
  const { client, since } = await scene().looking(room);
  await knock(client, room);
  const knocked = await client.sync({ since });
  assert.deepEqual(sectionsOf(knocked, room).sort(), ['knock', 'peek']);
  await change(scene().member, room, 'invite', client);
  const invited = await client.sync({ since: knocked.next_batch });
  assert.deepEqual(sectionsOf(invited, room).sort(), ['invite', 'peek']);
  await join(client, room);
  const joined = await client.sync({ since: invited.next_batch });
  assert.deepEqual(sectionsOf(joined, room), ['join']);
  assert.deepEqual(types(joined.rooms.join[room], 'state'), []);
});

test('who was banned may look into an open room like anybody, and is told of the ban by it', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  await scene().member.send(room, 'last words');
  await change(scene().member, room, 'ban', client);
  await scene().member.send(room, 'behind her back');
  const banned = await client.sync({ since });
  assert.deepEqual(sectionsOf(banned, room), ['leave']);
  assert.deepEqual(types(banned.rooms.leave[room]), ['m.room.message', 'm.room.member']);
  assert.deepEqual(bodies(banned.rooms.leave[room]), ['last words']);
  assert.deepEqual((await client.sync({ since })).rooms, banned.rooms);
  assert.deepEqual(sectionsOf(await client.sync({ since: banned.next_batch }), room), []);
  await peek(client, room);
  const again = await client.sync({ since: banned.next_batch });
  assert.deepEqual(sectionsOf(again, room), ['peek']);
  assert.ok(isWhole(again.rooms.peek[room]));
});

test('banned after the peek was ended, between the same two syncs: both are told', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  await scene().member.send(room, 'seen');
  await unpeek(client, room);
  await scene().member.send(room, 'not seen');
  await change(scene().member, room, 'ban', client);
  const { rooms } = await client.sync({ since });
  assert.deepEqual(types(rooms.leave[room]), ['m.room.message', 'm.room.member']);
  assert.deepEqual(bodies(rooms.leave[room]), ['seen']);
});

test('who has left may look, sees what happened since, and goes back to having left', async () => {
  const room = await scene().openRoom(PUBLIC);
  const client = await scene().newUser();
  await join(client, room);
  await leave(client, room);
  const { next_batch: since } = await client.sync();
  await scene().member.send(room, 'since then');
  await peek(client, room);
  const looking = await client.sync({ since });
  assert.deepEqual(sectionsOf(looking, room), ['peek']);
  assert.ok(isWhole(looking.rooms.peek[room]));
  assert.equal(bodies(looking.rooms.peek[room]).at(-1), 'since then');
  const archive = JSON.stringify({ room: { include_leave: true } });
  assert.deepEqual(sectionsOf(await client.sync({ filter: archive }), room), ['peek']);
  await unpeek(client, room);
  const ended = await client.sync({ since: looking.next_batch });
  assert.deepEqual(ended.rooms.leave, { [room]: {} });
  assert.deepEqual(sectionsOf(await client.sync({ filter: archive }), room), ['leave']);
});

test('who left and looks between two syncs has the room in peek, whole', async () => {
  const room = await scene().openRoom(PUBLIC);
  const client = await scene().newUser();
  await join(client, room);
  const { next_batch: since } = await client.sync();
  await leave(client, room);
  await peek(client, room);
  const { rooms } = await client.sync({ since });
  assert.deepEqual(sectionsOf({ rooms }, room), ['peek']);
  assert.ok(isWhole(rooms.peek[room]));
  assert.equal(rooms.peek[room].timeline.limited, true);
});

test('who has forgotten the room may look, and forgetting it while looking ends nothing', async () => {
  const room = await scene().openRoom(PUBLIC);
  const client = await scene().newUser();
  await join(client, room);
  await leave(client, room);
  await client.ok('POST', roomPath(room, 'forget'), {});
  const { since } = await scene().looking(room, client);
  await client.ok('POST', roomPath(room, 'forget'), {});
  await scene().member.send(room, 'still seen');
  const { rooms, next_batch: next } = await client.sync({ since });
  assert.deepEqual(bodies(rooms.peek[room]), ['still seen']);
  await unpeek(client, room);
  assert.deepEqual((await client.sync({ since: next })).rooms.leave, { [room]: {} });
});

test('joined, left and joined again between two syncs: the room is in join, and goes on', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  await join(client, room);
  await leave(client, room);
  await join(client, room);
  const { rooms } = await client.sync({ since });
  assert.deepEqual(sectionsOf({ rooms }, room), ['join']);
  assert.deepEqual(types(rooms.join[room]), Array(3).fill('m.room.member'));
  assert.deepEqual(types(rooms.join[room], 'state'), []);
});

test('kicked after joining: the room is left on every device, and peeked on none', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  const other = await loginAgain(client);
  const { next_batch: otherSince } = await other.sync();
  await join(client, room);
  await change(scene().member, room, 'kick', client);
  for (const [device, from] of [
    [client, since],
    [other, otherSince],
  ] as const) {
    const answer = await device.sync({ since: from });
    assert.deepEqual(sectionsOf(answer, room), ['leave']);
    assert.deepEqual(sectionsOf(await device.sync({ since: answer.next_batch }), room), []);
  }
  assert.equal(await scene().server.isPeeking(client, room), false);
});

test('a join ends the peeks of all devices, and each that looked has no state sent again', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  const second = await scene().looking(room, await loginAgain(client));
  const third = await loginAgain(client);
  const { next_batch: thirdSince } = await third.sync();
  await peek(third, room);
  await join(client, room);
  for (const [device, from] of [
    [client, since],
    [second.client, second.since],
  ] as const) {
    const { rooms } = await device.sync({ since: from });
    assert.deepEqual(sectionsOf({ rooms }, room), ['join']);
    assert.deepEqual(types(rooms.join[room]), ['m.room.member']);
    assert.deepEqual(types(rooms.join[room], 'state'), []);
  }
  const unseen = await third.sync({ since: thirdSince });
  assert.ok(isWhole(unseen.rooms.join[room]));
  for (const device of [client, second.client, third]) {
    assert.equal(await scene().server.isPeeking(device, room), false);
    assert.deepEqual(await refusal(device, ['POST', peekPath(room), {}]), [400, 'M_BAD_STATE']);
    const end = ['POST', roomPath(room, 'unpeek'), {}] as const;
    assert.deepEqual(await refusal(device, end), [400, 'M_BAD_STATE']);
  }
});

test('a peek that has been told as ended leaves nothing to build on: joining sends the state', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  await unpeek(client, room);
  const { next_batch: next } = await client.sync({ since });
  await join(client, room);
  assert.ok(isWhole((await client.sync({ since: next })).rooms.join[room]));
  // The device that lost that answer still has what it had.
  const { rooms } = await client.sync({ since });
  assert.deepEqual(sectionsOf({ rooms }, room), ['join']);
});
