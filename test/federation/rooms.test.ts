// Rooms across servers: who is in them and what is said there, on both sides.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import { HostileServer } from './hostile-server.ts';
import {
  type Any,
  change,
  history,
  isMember,
  join,
  leave,
  roomPath,
  serverOf,
  useNetwork,
} from './scene.ts';

const scene = useNetwork({ servers: 2 });

for (const version of ROOM_VERSIONS) {
  test(`a join over federation, and messages both ways, room version ${version}`, async () => {
    const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
    const room = await scene().sharedRoom(ann, [ben], { room_version: version });
    await ben.seesId(room, await ann.client.send(room, 'from ann'));
    await ann.seesId(room, await ben.client.send(room, 'from ben'));
    const again = await ann.client.send(room, 'again');
    for (const reader of [ann, ben]) await reader.seesId(room, again);
    assert.deepEqual(ann.bodies(room), ['from ann', 'from ben', 'again']);
    assert.deepEqual(ben.bodies(room), ['from ann', 'from ben', 'again']);
    await scene().sameState(room, [ann, ben]);
  });
}

test('a second user of the server that has joined needs nobody', async () => {
  const [ann, ben, bob] = [
    await scene().user(0, 'ann'),
    await scene().user(1, 'ben'),
    await scene().user(1, 'bob'),
  ];
  const room = await scene().sharedRoom(ann, [ben]);
  scene().network.partition([[0], [1]]);
  await join(bob.client, room);
  scene().network.heal();
  await ann.sees(room, (event) => isMember(event, bob.client.userId, 'join'), 'bob');
  await scene().sameState(room, [ann, ben, bob]);
});

test('invites both ways, accepted', async () => {
  const [ann, ben, amy] = [
    await scene().user(0, 'ann'),
    await scene().user(1, 'ben'),
    await scene().user(0, 'amy'),
  ];
  const room = await ann.client.createRoom({ preset: 'private_chat', name: 'Inner circle' });
  await change(ann.client, room, 'invite', ben.client.userId);
  await ben.until(() => ben.invites.has(room), 'an invite');
  const name = ben.invites.get(room)?.find(({ type }: Any) => type === 'm.room.name');
  assert.equal(name.content.name, 'Inner circle');
  await join(ben.client, room, serverOf(ann.client));
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'join'), 'ben');

  await change(ben.client, room, 'invite', amy.client.userId);
  await amy.until(() => amy.invites.has(room), 'an invite');
  await join(amy.client, room);
  await ben.sees(room, (event) => isMember(event, amy.client.userId, 'join'), 'amy');
  await scene().sameState(room, [ann, ben, amy]);
});

test('invited when the room is made', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const invite = [ben.client.userId];
  const room = await ann.client.createRoom({ preset: 'trusted_private_chat', invite });
  await ben.until(() => ben.invites.has(room), 'an invite');
  await join(ben.client, room, serverOf(ann.client));
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'join'), 'ben');
});

test('nobody is invited who does not exist', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({ preset: 'private_chat' });
  const invite = (user_id: string) =>
    ann.client.call('POST', roomPath(room, 'invite'), { user_id });
  const nobody = `@nobody:${serverOf(ben.client)}`;
  const refused = await invite(nobody);
  assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN']);
  const members = await ann.client.ok('GET', roomPath(room, 'members'));
  assert.equal(members.chunk.length, 1);
  await change(ann.client, room, 'invite', ben.client.userId);
});

test('an invite is rejected, and its server knows', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({ preset: 'private_chat' });
  await change(ann.client, room, 'invite', ben.client.userId);
  await ben.until(() => ben.invites.has(room), 'an invite');
  await leave(ben.client, room);
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'leave'), 'ben declines');
  await ben.until(() => ben.left.has(room), 'the invite is gone');
});

test('an invite is taken back', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({ preset: 'private_chat' });
  await change(ann.client, room, 'invite', ben.client.userId);
  await ben.until(() => ben.invites.has(room), 'an invite');
  await change(ann.client, room, 'kick', ben.client.userId);
  await ben.until(() => ben.left.has(room), 'the invite is gone');
});

test('an invite of a server that is dead since can be rejected', async (t) => {
  const ben = await scene().user(1, 'ben');
  const eve = await HostileServer.start();
  let isClosed = false;
  t.after(() => (isClosed ? undefined : eve.close()));
  const room = eve.createRoom('10');
  const invite = room.build({
    type: 'm.room.member',
    sender: eve.user('eve'),
    stateKey: ben.client.userId,
    content: { membership: 'invite' },
  });
  const path = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(invite.eventId)}`;
  const body = { room_version: '10', event: invite.json, invite_room_state: [] };
  const answer = await eve.request(scene().serverName(1), 'PUT', path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await ben.until(() => ben.invites.has(room.roomId), 'an invite');
  await eve.close();
  isClosed = true;
  await leave(ben.client, room.roomId);
  await ben.until(() => ben.left.has(room.roomId), 'the invite is gone');
});

test('leaving, and coming back', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await scene().sharedRoom(ann, [ben]);
  await leave(ben.client, room);
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'leave'), 'ben leaves');
  const missed = await ann.client.send(room, 'while ben is away');
  await join(ben.client, room, serverOf(ann.client));
  await ben.seesId(room, await ann.client.send(room, 'welcome back'));
  const ids = (await history(ben.client, room)).map(({ event_id }) => event_id);
  assert.ok(ids.includes(missed));
  await scene().sameState(room, [ann, ben]);
});

test('who is kicked gets the kick, and nothing after it', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await scene().sharedRoom(ann, [ben]);
  await change(ann.client, room, 'kick', ben.client.userId);
  await ben.until(() => ben.left.has(room), 'the kick');
  assert.ok(ben.timeline(room).some((event) => isMember(event, ben.client.userId, 'leave')));
  const secret = await ann.client.send(room, 'now that he is gone');
  const other = await scene().sharedRoom(ann, [ben]);
  await ben.seesId(other, await ann.client.send(other, 'elsewhere'));
  const { exchanges } = scene().network.link(0, 1);
  assert.ok(
    exchanges.every(({ body }) => !body.includes('now that he is gone')),
    secret,
  );
});

test('who is banned cannot come back until unbanned', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await scene().sharedRoom(ann, [ben]);
  await change(ann.client, room, 'ban', ben.client.userId);
  await ben.until(() => ben.left.has(room), 'the ban');
  const path = `/v3/join/${encodeURIComponent(room)}?via=${serverOf(ann.client)}`;
  const { status, body } = await ben.client.call('POST', path, {});
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN']);
  await change(ann.client, room, 'unban', ben.client.userId);
  await join(ben.client, room, serverOf(ann.client));
  await scene().sameState(room, [ann, ben]);
});

test('a remote moderator changes state, kicks and bans', async () => {
  const [ann, ben, amy] = [
    await scene().user(0, 'ann'),
    await scene().user(1, 'ben'),
    await scene().user(0, 'amy'),
  ];
  const room = await scene().sharedRoom(ann, [ben, amy], { room_version: '11' });
  const levels = await ann.client.ok('GET', roomPath(room, 'state/m.room.power_levels/'));
  const refused = roomPath(room, 'state/m.room.topic/');
  assert.equal((await ben.client.call('PUT', refused, { topic: 'mine' })).status, 403);
  const users = { ...levels.users, [ben.client.userId]: 50 };
  const promoted = await ann.client.setState(room, 'm.room.power_levels', '', { ...levels, users });
  await ben.seesId(room, promoted);
  const topic = await ben.client.setState(room, 'm.room.topic', '', { topic: 'ben was here' });
  await ann.seesId(room, topic);
  await change(ben.client, room, 'ban', amy.client.userId);
  await amy.until(() => amy.left.has(room), 'the ban');
  const state = await scene().sameState(room, [ann, ben]);
  assert.equal(state['m.room.topic '], topic);
});

test('redactions, by the sender and by a moderator', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await scene().sharedRoom(ann, [ben]);
  const isRedacted = async (reader: typeof ann, id: string) => {
    const event = await reader.client.ok('GET', roomPath(room, `event/${encodeURIComponent(id)}`));
    return event.content.body === undefined && event.unsigned?.redacted_because !== undefined;
  };
  const redact = (reader: typeof ann, id: string) =>
    reader.client.ok(
      'PUT',
      roomPath(room, `redact/${encodeURIComponent(id)}/r${id.slice(1, 9)}`),
      {},
    );
  const own = await ben.client.send(room, 'I regret this');
  await ann.seesId(room, own);
  await redact(ben, own);
  await scene().network.pump(() => isRedacted(ann, own), 'redacted by its sender');
  const bad = await ben.client.send(room, 'you will regret this');
  await ann.seesId(room, bad);
  await redact(ann, bad);
  await scene().network.pump(() => isRedacted(ben, bad), 'redacted by a moderator');
});

test('scrolling back fetches what was said before the join', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({ preset: 'public_chat' });
  const sent: string[] = [];
  for (let n = 0; n < 70; n += 1) sent.push(await ann.client.send(room, `line ${n}`));
  await join(ben.client, room, serverOf(ann.client));
  const events = await history(ben.client, room);
  const lines = events
    .filter(({ type }) => type === 'm.room.message')
    .map((event) => event.event_id);
  assert.deepEqual(lines.reverse(), sent);
  assert.equal(events.at(-1).type, 'm.room.create');
  assert.equal(new Set(events.map(({ event_id }) => event_id)).size, events.length);
});

test('a knock, and the invite that follows', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
  });
  const path = `/v3/knock/${encodeURIComponent(room)}?via=${serverOf(ann.client)}`;
  await ben.client.ok('POST', path, { reason: 'let me in' });
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'knock'), 'a knock');
  await change(ann.client, room, 'invite', ben.client.userId);
  await ben.until(() => ben.invites.has(room), 'an invite');
  await join(ben.client, room, serverOf(ann.client));
  await scene().sameState(room, [ann, ben]);
});

test('a restricted room lets members of another in, by the server that can sign', async () => {
  const [ann, ben, bob] = [
    await scene().user(0, 'ann'),
    await scene().user(1, 'ben'),
    await scene().user(1, 'bob'),
  ];
  const club = await scene().sharedRoom(ann, [ben]);
  const content = {
    join_rule: 'restricted',
    allow: [{ type: 'm.room_membership', room_id: club }],
  };
  const room = await ann.client.createRoom({
    initial_state: [{ type: 'm.room.join_rules', state_key: '', content }],
  });
  await join(ben.client, room, serverOf(ann.client));
  await ann.sees(room, (event) => isMember(event, ben.client.userId, 'join'), 'ben');
  const path = `/v3/join/${encodeURIComponent(room)}?via=${serverOf(ann.client)}`;
  assert.equal((await bob.client.call('POST', path, {})).status, 403);
});

test('rooms that are not federated let nobody in from elsewhere', async () => {
  const [ann, ben] = [await scene().user(0, 'ann'), await scene().user(1, 'ben')];
  const room = await ann.client.createRoom({
    preset: 'public_chat',
    creation_content: { 'm.federate': false },
  });
  const path = `/v3/join/${encodeURIComponent(room)}?via=${serverOf(ann.client)}`;
  const { status } = await ben.client.call('POST', path, {});
  assert.ok([403, 404].includes(status), String(status));
});
