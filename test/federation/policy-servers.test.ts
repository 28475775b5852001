// Rooms with a policy server, between real servers: what it signs goes everywhere with its signature, what it does not sign
// goes nowhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSigningKey } from '../../src/protocol/signing-key.ts';
import { until } from '../until.ts';
import { peekOk } from './peeking-scene.ts';
import { usePolicyScene } from './policy-scene.ts';
import { change, isMember, join, leave, roomPath, serverOf } from './scene.ts';

const scene = usePolicyScene();

const say = (body: string) => ({ msgtype: 'm.text', body });
const sendPath = (roomId: string, id: string) => roomPath(roomId, `send/m.room.message/${id}`);

test('what it signs is kept and relayed with its signature, and asked about once', async () => {
  const { ann, bob, room, peer } = bound();
  const { roomId, theirs } = await room();
  const eventId = await ann.client.send(roomId, 'hello');
  await bob.seesId(roomId, eventId);
  for (const server of [0, 1]) {
    const stored = await scene().stored(server, eventId);
    assert.equal(stored.standing, 'accepted');
    assert.ok(scene().isSigned(stored), `on server ${server}`);
  }
  await until(async () => theirs.events.has(eventId as never), 'the third server has it');
  assert.ok(scene().isSigned(theirs.events.get(eventId as never) as never));
  assert.deepEqual(
    scene().asked.map(({ content }) => content.body),
    ['hello'],
  );
  const { authorization } = peer.askedFor(/sign$/)[0] ?? {};
  assert.match(authorization ?? '', new RegExp(`origin="?${serverOf(ann.client)}`));
});

test('what it refuses is not sent, and the client is told in its words', async () => {
  const { ann, bob, room } = bound();
  const { roomId } = await room();
  scene().policy = (event) =>
    event.content.body === 'spam' ? scene().refuse('no spam here') : scene().signature(event);
  const { status, body } = await ann.client.call('PUT', sendPath(roomId, 'r1'), say('spam'));
  assert.equal(status, 403);
  assert.deepEqual(body, { errcode: 'M_FORBIDDEN', error: 'no spam here' });
  const after = await ann.client.send(roomId, 'fine');
  await bob.seesId(roomId, after);
  assert.deepEqual(bob.bodies(roomId), ['fine']);
  assert.deepEqual(ann.bodies(roomId).includes('spam'), false);
});

test('a signature that is none is none', async () => {
  const { ann, bob, room } = bound();
  const shared = await room();
  const { roomId } = shared;
  const other = { ...generateSigningKey(), keyId: 'ed25519:policy_server' };
  scene().policy = (event) => scene().signature(event, other);
  const sent = await ann.client.call('PUT', sendPath(roomId, 'g1'), say('hello'));
  assert.equal(sent.status, 502, JSON.stringify(sent.body));
  const slipped = await scene().slip(shared, 'hello');
  const { standing, reason } = await scene().fate(0, slipped);
  assert.equal(standing, 'softFailed');
  assert.match(reason, /policy server/);
  scene().policy = (event) => scene().signature(event);
  const last = await ann.client.send(roomId, 'last');
  await bob.seesId(roomId, last);
  assert.deepEqual(bob.bodies(roomId), ['last']);
});

test('what comes without its signature is asked about, and hidden when refused', async () => {
  const { ann, room } = bound();
  const shared = await room();
  const good = await scene().slip(shared, 'good');
  await ann.seesId(shared.roomId, good);
  assert.ok(scene().isSigned(await scene().stored(0, good)));
  scene().policy = () => scene().refuse('spam');
  const bad = await scene().slip(shared, 'bad');
  assert.equal((await scene().fate(0, bad)).standing, 'softFailed');
  scene().policy = (event) => scene().signature(event);
  const next = await scene().slip(shared, 'next');
  await ann.seesId(shared.roomId, next);
  assert.ok(!ann.bodies(shared.roomId).includes('bad'));
  assert.equal(scene().asked.length, 3);
});

test('what names it, and rooms that name none, are none of its business', async () => {
  const { ann, bob, room } = bound();
  const shared = await room({ isNamed: false });
  scene().policy = () => scene().refuse('nothing at all');
  await bob.seesId(shared.roomId, await ann.client.send(shared.roomId, 'free'));
  const slipped = await scene().slip(shared, 'slipped', 1);
  await bob.seesId(shared.roomId, slipped);
  for (const content of [scene().content, {}, scene().content, {}]) {
    const id = await ann.client.setState(shared.roomId, 'm.room.policy', '', content);
    await bob.seesId(shared.roomId, id);
  }
  assert.deepEqual(scene().asked, []);
});

test('joins, knocks, invites and leaves are signed, whichever server they come by', async () => {
  const { ann, room } = bound();
  const { roomId } = await room({ withBob: false });
  const cleo = await scene().scene.user(1, 'cleo');
  const there = scene().server(0).name;
  const memberId = async (userId: string, membership: string) =>
    (await ann.sees(roomId, (event) => isMember(event, userId, membership), membership)).event_id;
  const isSignedOn = async (server: number, eventId: string) =>
    scene().isSigned(await scene().fate(server, eventId));

  await join(cleo.client, roomId, there);
  const joined = await memberId(cleo.client.userId, 'join');
  assert.ok(await isSignedOn(0, joined));
  assert.ok(await isSignedOn(1, joined));
  assert.equal(scene().asked.length, 1);

  const dora = await scene().scene.user(1, 'dora');
  await change(ann.client, roomId, 'invite', dora.client.userId);
  const invited = await memberId(dora.client.userId, 'invite');
  assert.ok(await isSignedOn(0, invited));
  assert.ok(await isSignedOn(1, invited));
  await leave(dora.client, roomId);
  assert.ok(await isSignedOn(0, await memberId(dora.client.userId, 'leave')));

  const { client } = ann;
  await client.setState(roomId, 'm.room.join_rules', '', { join_rule: 'knock' });
  await leave(cleo.client, roomId);
  await memberId(cleo.client.userId, 'leave');
  const knock = `/v3/knock/${encodeURIComponent(roomId)}?via=${encodeURIComponent(there)}`;
  await cleo.client.ok('POST', knock, {});
  assert.ok(await isSignedOn(0, await memberId(cleo.client.userId, 'knock')));
});

test('a server that signs an invite for its user signs it as policy server, too', async () => {
  const { ann, room, peer } = bound();
  const { roomId } = await room();
  const second = peer.user('second');
  await change(ann.client, roomId, 'invite', second);
  const invite = await ann.sees(roomId, (event) => isMember(event, second, 'invite'), 'invited');
  for (const server of [0, 1]) {
    const stored = await scene().fate(server, invite.event_id);
    assert.ok(scene().isSigned(stored), `on server ${server}`);
    const { keyId } = peer.signingKey;
    assert.equal(typeof stored.json.signatures[peer.name][keyId], 'string');
  }
});

test('a join that it refuses is none', async () => {
  const { ann, room } = bound();
  const { roomId } = await room({ withBob: false });
  scene().policy = (event) =>
    event.type === 'm.room.member' ? scene().refuse('no strangers') : scene().signature(event);
  const cleo = await scene().scene.user(1, 'cleo');
  const via = encodeURIComponent(scene().server(0).name);
  const path = `/v3/join/${encodeURIComponent(roomId)}?via=${via}`;
  const { status, body } = await cleo.client.call('POST', path, {});
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN']);
  const mail = await scene().scene.user(0, 'mail');
  const here = await mail.client.call('POST', path, {});
  assert.deepEqual([here.status, here.body.error], [403, 'no strangers']);
  await ann.client.send(roomId, 'nobody came');
  const members = await ann.client.ok('GET', roomPath(roomId, 'joined_members'));
  assert.equal(Object.keys(members.joined).length, 2);
});

test('who joins by a server that has not asked it, asks', async () => {
  const { peer, bob } = bound();
  scene().policy = (event) => scene().signature(event);
  peer.asked.length = 0;
  const policy = { type: 'm.room.policy', stateKey: '', content: scene().content };
  const theirs = peer.createRoom('11', { initialState: [policy] });
  const { roomId } = theirs;
  await join(bob.client, roomId, peer.name);
  assert.equal(scene().asked.length, 1);
  const joined = await bob.sees(roomId, (e) => isMember(e, bob.client.userId, 'join'), 'joined');
  assert.ok(scene().isSigned(await scene().stored(1, joined.event_id)));

  scene().policy = () => scene().refuse('enough');
  const late = await scene().scene.user(0, 'late');
  const path = `/v3/join/${encodeURIComponent(roomId)}?via=${encodeURIComponent(peer.name)}`;
  const refused = await late.client.call('POST', path, {});
  assert.deepEqual([refused.status, refused.body.error], [403, 'enough']);
});

test('who looks into a room joins it with its signature', async () => {
  const { ann, room } = bound();
  const visibility = { type: 'm.room.history_visibility', state_key: '' };
  const content = { history_visibility: 'world_readable' };
  const open = { initial_state: [{ ...visibility, content }] };
  const { roomId } = await room({ withBob: false, ...open });
  const cleo = await scene().scene.user(1, 'cleo');
  const there = scene().server(0).name;
  await peekOk(cleo.client, roomId, there);
  await join(cleo.client, roomId, there);
  const isJoin = (event: unknown) => isMember(event, cleo.client.userId, 'join');
  const { event_id: eventId } = await ann.sees(roomId, isJoin, 'she joins');
  for (const server of [0, 1]) {
    assert.ok(scene().isSigned(await scene().fate(server, eventId)), `on server ${server}`);
  }
  assert.equal(scene().asked.length, 1);
});

test('what was being asked about when the server ended is asked about again', async () => {
  const { ann, room } = bound();
  const shared = await room({ withBob: false });
  const asked = Promise.withResolvers<void>();
  scene().policy = () => {
    asked.resolve();
    return undefined;
  };
  const slipped = await scene().slip(shared, 'patience');
  await asked.promise;
  const server = scene().server(0);
  await server.kill();
  scene().policy = (event) => scene().signature(event);
  await server.start();
  await ann.seesId(shared.roomId, slipped);
  assert.ok(scene().isSigned(await scene().stored(0, slipped)));
});

test('one that is slow keeps nobody else waiting', async () => {
  const { ann, bob, room } = bound();
  const slow = await room();
  const free = await room({ isNamed: false });
  const release = Promise.withResolvers<void>();
  scene().policy = async (event) => {
    if (event.room_id === slow.roomId) await release.promise;
    return scene().signature(event);
  };
  const sent = ann.client.send(slow.roomId, 'slow');
  const slipped = await scene().slip(slow, 'slow, too');
  await bob.seesId(free.roomId, await ann.client.send(free.roomId, 'quick'));
  await ann.seesId(free.roomId, await scene().slip(free, 'quick, too'));
  assert.equal(await scene().stored(0, slipped), undefined);
  release.resolve();
  await bob.seesId(slow.roomId, await sent);
  await ann.seesId(slow.roomId, slipped);
});

// The last: it is not asked again at once.
test('one that cannot be reached stops the room, and its owner can do without it', async () => {
  const { ann, bob, room } = bound();
  const shared = await room();
  const { roomId } = shared;
  scene().policy = (_event, _asked, response) => {
    response.destroy();
    return undefined;
  };
  const { status, body } = await ann.client.call('PUT', sendPath(roomId, 'u1'), say('hello'));
  assert.equal(status, 502);
  assert.equal(body.errcode, 'M_UNKNOWN');
  const slipped = await scene().slip(shared, 'slipped');
  assert.equal((await scene().fate(0, slipped)).standing, 'softFailed');
  const ended = await ann.client.setState(roomId, 'm.room.policy', '', {});
  await bob.seesId(roomId, ended);
  await bob.seesId(roomId, await ann.client.send(roomId, 'without'));
});

function bound() {
  const { ann, bob, peer } = scene();
  return { ann, bob, peer, room: scene().room.bind(scene()) };
}
