// What a server is told that may not look, or asks wrongly: status, errcode and what goes with them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestClient } from '../client.ts';
import type { Json } from './json.ts';
import { peekUri } from './peeker.ts';
import { closeScene, openScene, openSceneFor, type Scene } from './scene.ts';
import { authorizationOf } from './signing.ts';
import { ask, type PeerAnswer } from './wire.ts';

const OPEN = {
  type: 'm.room.history_visibility',
  content: { history_visibility: 'world_readable' },
};
const ENCRYPTED = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
/** Names are compared without the port. */
const ACL = { type: 'm.room.server_acl', content: { allow: ['*'], deny: ['localhost'] } };
const NO_LIMITS = { rate_limits: { enabled: false } };

function checkError({ status, body }: PeerAnswer, expected: readonly [number, string]): void {
  assert.deepEqual([status, body.errcode], expected, JSON.stringify(body));
  assert.equal(typeof body.error, 'string');
  const fields = new Set(['errcode', 'error', 'retry_after_ms', 'room_version']);
  for (const name of Object.keys(body)) assert.ok(fields.has(name), `${name} is told`);
}

describe('PUT /peek', () => {
  let scene: Scene;
  let alice: TestClient;
  before(async () => {
    scene = await openSceneFor({ config: NO_LIMITS });
    alice = await scene.server.user('alice');
  });
  after(() => closeScene(scene));

  const put = (roomId: string, peekId: string, query = '?ver=12') =>
    scene.peer.request(scene.server.name, 'PUT', `${peekUri(roomId, peekId)}${query}`, {});
  const room = (...initial_state: Json[]) => alice.createRoom({ initial_state });

  test('takes any id that a table can keep', async () => {
    const roomId = await room(OPEN);
    for (const id of [
      'a',
      '=._-0aZ9',
      'peek_01HF7YAT00TESTTESTTESTTEST',
      roomId,
      'x'.repeat(255),
    ]) {
      assert.equal((await put(roomId, id)).status, 200, id);
    }
    assert.equal((await put(roomId, 'ü'.repeat(127))).status, 200);
  });

  test('400 M_UNRECOGNIZED: an id that is empty, too long or not to be printed', async () => {
    const roomId = await room(OPEN);
    const wrong = ['', 'x'.repeat(256), 'ü'.repeat(128), 'a\u0000', 'a\nb', '\u007f', 'a\u0085b'];
    for (const id of wrong) {
      checkError(await put(roomId, id), [400, 'M_UNRECOGNIZED']);
      const uri = peekUri(roomId, id);
      const ended = await scene.peer.request(scene.server.name, 'DELETE', uri);
      checkError(ended, [400, 'M_UNRECOGNIZED']);
      const renewed = await scene.peer.request(scene.server.name, 'POST', `${uri}/renew`, {});
      checkError(renewed, [400, 'M_UNRECOGNIZED']);
    }
  });

  test('400 M_INCOMPATIBLE_ROOM_VERSION: with the version', async () => {
    const roomId = await room(OPEN);
    const refused = await put(roomId, 'p', '?ver=1&ver=11');
    checkError(refused, [400, 'M_INCOMPATIBLE_ROOM_VERSION']);
    assert.equal(refused.body.room_version, '12');
    assert.equal((await put(roomId, 'p', '?ver=1&ver=12')).status, 200);
  });

  test('400: a room id that is none, a body that is none', async () => {
    checkError(await put('nonsense', 'p'), [400, 'M_INVALID_PARAM']);
    const uri = `${peekUri(await room(OPEN), 'p')}?ver=12`;
    const answer = await scene.peer.request(scene.server.name, 'PUT', uri, [1]);
    checkError(answer, [400, 'M_BAD_JSON']);
  });

  test('401: who has not signed, or for somebody else', async () => {
    const uri = peekUri(await room(OPEN), 'p');
    const other = await scene.newPeer();
    const unsigned = { destination: scene.server.name, method: 'PUT', uri, content: {} };
    checkError(await ask(unsigned), [401, 'M_UNAUTHORIZED']);
    const claimed = { ...unsigned, origin: scene.peer.name };
    const authorization = authorizationOf(claimed, other.key);
    checkError(await ask({ ...unsigned, authorization }), [401, 'M_UNAUTHORIZED']);
  });

  test('403: rooms that are closed, encrypted, not federated, or deny the server', async () => {
    const creation_content = { 'm.federate': false };
    const rooms = {
      closed: await room(),
      encrypted: await room(OPEN, ENCRYPTED),
      alone: await alice.createRoom({ initial_state: [OPEN], creation_content }),
      denied: await room(OPEN, ACL),
    };
    for (const [what, roomId] of Object.entries(rooms)) {
      const refused = await put(roomId, what);
      checkError(refused, [403, 'M_FORBIDDEN']);
      assert.equal(JSON.stringify(refused.body).includes(roomId), false);
      // It is told that of renewals and previews, too.
      const preview = `/_matrix/federation/v1/peek/${encodeURIComponent(roomId)}`;
      checkError(await scene.peer.request(scene.server.name, 'GET', preview), [403, 'M_FORBIDDEN']);
    }
  });

  test('404: rooms that nobody here is in, or has left; peeks that there are not', async () => {
    checkError(await put('!unknown:localhost', 'p'), [404, 'M_NOT_FOUND']);
    const left = await room(OPEN);
    await alice.ok('POST', `/v3/rooms/${encodeURIComponent(left)}/leave`, {});
    checkError(await put(left, 'p'), [404, 'M_NOT_FOUND']);
    const uri = peekUri(await room(OPEN), 'p');
    const { name } = scene.server;
    checkError(await scene.peer.request(name, 'POST', `${uri}/renew`, {}), [404, 'M_NOT_FOUND']);
    checkError(await scene.peer.request(name, 'DELETE', uri), [404, 'M_NOT_FOUND']);
  });

  test('404: another server does not get at a peek', async () => {
    const roomId = await room(OPEN);
    assert.equal((await put(roomId, 'mine')).status, 200);
    const other = await scene.newPeer();
    const uri = peekUri(roomId, 'mine');
    const { name } = scene.server;
    checkError(await other.request(name, 'POST', `${uri}/renew`, {}), [404, 'M_NOT_FOUND']);
    checkError(await other.request(name, 'DELETE', uri), [404, 'M_NOT_FOUND']);
    assert.equal((await scene.peer.request(name, 'POST', `${uri}/renew`, {})).status, 200);
  });

  test('405: other methods', async () => {
    const uri = peekUri(await room(OPEN), 'p');
    const answer = await scene.peer.request(scene.server.name, 'POST', uri, {});
    checkError(answer, [405, 'M_UNRECOGNIZED']);
  });

  test('a preview as Palpo asks for it shows what describes the room, and what was said', async () => {
    const roomId = await room(OPEN, { type: 'm.room.name', content: { name: 'Square' } });
    for (const text of ['one', 'two', 'three']) await alice.send(roomId, text);
    const uri = `/_matrix/federation/v1/peek/${encodeURIComponent(roomId)}?limit=2`;
    const { status, body } = await scene.peer.request(scene.server.name, 'GET', uri);
    assert.equal(status, 200);
    assert.equal(body.room_version, '12');
    assert.deepEqual(
      body.messages.map(({ content }: Json) => content.body),
      ['two', 'three'],
    );
    const types = body.pdus.map(({ type }: Json) => type).sort();
    assert.deepEqual(types, ['m.room.create', 'm.room.join_rules', 'm.room.name']);
    await alice.send(roomId, 'to nobody');
    await scene.server.settled();
    assert.deepEqual(scene.peer.received, []);
  });
});

function checkLimited(answer: PeerAnswer): void {
  checkError(answer, [429, 'M_LIMIT_EXCEEDED']);
  assert.ok(Number.isSafeInteger(answer.body.retry_after_ms) && answer.body.retry_after_ms > 0);
}

test('429: more rooms than a server may look into, however it asks', async (t) => {
  const config = { ...NO_LIMITS, peeking: { max_inbound_per_server: 2 } };
  const scene = await openScene(t, { config });
  const { peer, server } = scene;
  const alice = await server.user('alice');
  const rooms: string[] = [];
  for (let n = 0; n < 6; n += 1) rooms.push(await alice.createRoom({ initial_state: [OPEN] }));
  const answers = await Promise.all(rooms.map((roomId) => peer.putPeek(server.name, roomId)));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.equal(refused.length, 4);
  refused.forEach(checkLimited);
  const held = rooms.filter((_, index) => answers[index]?.status === 200);
  // What there is may be asked for again, and makes room when it ends.
  for (const roomId of held) {
    assert.equal((await peer.putPeek(server.name, roomId)).status, 200);
  }
  const free = rooms.find((roomId) => !held.includes(roomId)) ?? '';
  checkLimited(await peer.putPeek(server.name, free));
  await peer.tell(server.name, 'DELETE', peekUri(held[0] ?? '', 'p=1._-Zz'));
  assert.equal((await peer.putPeek(server.name, free)).status, 200);
  const other = await scene.newPeer();
  assert.equal((await other.putPeek(server.name, rooms[0] ?? '')).status, 200);
});

test('429: more servers than may look into a room', async (t) => {
  const config = { ...NO_LIMITS, peeking: { max_inbound_per_room: 2 } };
  const scene = await openScene(t, { config });
  const { server, peer } = scene;
  const alice = await server.user('alice');
  const roomId = await alice.createRoom({ initial_state: [OPEN] });
  const others = [await scene.newPeer(), await scene.newPeer(), await scene.newPeer()];
  const answers = await Promise.all(others.map((other) => other.putPeek(server.name, roomId)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 2);
  checkLimited(await peer.putPeek(server.name, roomId));
  const inside = others[answers.findIndex(({ status }) => status === 200)];
  const again = await inside?.putPeek(server.name, roomId, { peekId: 'other' });
  assert.equal(again?.status, 200, 'who looks already is no further one');
});

test('429: more states than a server may ask for in a while', async (t) => {
  const limit = { federation_state: { per_second: 1, burst: 2 } };
  const scene = await openScene(t, { config: { rate_limits: limit } });
  const { server, peer } = scene;
  const alice = await server.user('alice');
  const roomId = await alice.createRoom({ initial_state: [OPEN] });
  for (const peekId of ['a', 'b']) {
    assert.equal((await peer.putPeek(server.name, roomId, { peekId })).status, 200);
  }
  const refused = await peer.putPeek(server.name, roomId, { peekId: 'c' });
  checkLimited(refused);
  await scene.pass(refused.body.retry_after_ms);
  assert.equal((await peer.putPeek(server.name, roomId, { peekId: 'c' })).status, 200);
  const uri = `${peekUri(roomId, 'a')}/renew`;
  assert.equal((await peer.request(server.name, 'POST', uri, {})).status, 200);
});
