// What can be done with sessions, transactions and tokens that they are not meant for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Json, loginAgain, register, request, TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let alice: TestClient;
let bob: TestClient;
let room: string;

before(async () => {
  server = await startInProcess();
  alice = await register(server.baseUrl, 'alice');
  bob = await register(server.baseUrl, 'bob');
  room = await alice.createRoom({ preset: 'public_chat' });
});

after(async () => {
  await server.close();
});

function send(client: TestClient, transaction: string, type = 'm.room.message') {
  const path = `/v3/rooms/${encodeURIComponent(room)}/send/${type}/${transaction}`;
  return client.ok('PUT', path, { msgtype: 'm.text', body: 'hello' }).then((body) => body.event_id);
}

function login(username: string, more: Json = {}) {
  const identifier = { type: 'm.id.user', user: username };
  const password = `secret of ${username}`;
  return request(server.baseUrl, 'POST', '/v3/login', {
    type: 'm.login.password',
    identifier,
    password,
    ...more,
  });
}

test('a transaction is one event, however often and however concurrently it is sent', async () => {
  const first = await send(alice, 'one');
  const again = await Promise.all(Array.from({ length: 20 }, () => send(alice, 'one')));
  assert.deepEqual(new Set(again), new Set([first]));
  const concurrent = await Promise.all(Array.from({ length: 20 }, () => send(alice, 'two')));
  assert.equal(new Set(concurrent).size, 1);
  assert.notEqual(await send(alice, 'one', 'org.example.other'), first);
});

test('transactions of other devices are others, also of one that signs in anew under its id', async () => {
  const first = await send(alice, 'mine');
  const other = await loginAgain(alice);
  const second = await send(other, 'mine');
  assert.notEqual(second, first);
  await other.ok('POST', '/v3/logout', {});
  server.clock.advance(1);
  const { body } = await login('alice', { device_id: other.deviceId });
  const anew = new TestClient(server.baseUrl, body);
  assert.equal(anew.deviceId, other.deviceId);
  const third = await send(anew, 'mine');
  assert.ok(third !== first && third !== second);
  assert.equal(await send(anew, 'mine'), third);
});

test('a transaction is the same after the token has been refreshed', async () => {
  const { body } = await login('alice', { refresh_token: true });
  const first = await send(new TestClient(server.baseUrl, body), 'kept');
  const refreshed = await request(server.baseUrl, 'POST', '/v3/refresh', {
    refresh_token: body.refresh_token,
  });
  const session = { ...body, access_token: refreshed.body.access_token };
  assert.equal(await send(new TestClient(server.baseUrl, session), 'kept'), first);
});

test('a session of authentication is good for the request that it was begun for', async () => {
  const carol = await register(server.baseUrl, 'carol');
  const [one, two] = [await loginAgain(carol), await loginAgain(carol)];
  const remove = (client: TestClient, device: string, auth?: Json) =>
    client.call('DELETE', `/v3/devices/${device}`, { ...(auth && { auth }) });
  const { session } = (await remove(carol, one.deviceId)).body;
  const proof = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'carol' },
    password: 'secret of carol',
    session,
  };
  assert.equal((await remove(carol, two.deviceId, proof)).status, 403);
  assert.equal((await remove(bob, one.deviceId, proof)).status, 403);
  assert.equal((await remove(carol, one.deviceId, proof)).status, 200);
  // The answer may have been lost.
  assert.equal((await remove(carol, one.deviceId, { session })).status, 200);
  assert.equal((await remove(carol, two.deviceId, { session })).status, 403);
  const change = { new_password: 'something else', auth: { session } };
  assert.equal((await carol.call('POST', '/v3/account/password', change)).status, 403);
});

test('a session that has set one password does not pretend to set another', async () => {
  const dave = await register(server.baseUrl, 'dave');
  const change = (password: string, auth?: Json) =>
    dave.call('POST', '/v3/account/password', { new_password: password, ...(auth && { auth }) });
  const { session } = (await change('the first one')).body;
  const proof = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'dave' },
    password: 'secret of dave',
    session,
  };
  assert.equal((await change('the first one', proof)).status, 200);
  assert.equal((await change('the first one', { session })).status, 200);
  assert.equal((await change('the second one', { session })).status, 403);
  assert.equal((await login('dave', { password: 'the first one' })).status, 200);
});

test('of many who want a name at once one gets it', async () => {
  const body = { username: 'racer', password: 'long enough', auth: { type: 'm.login.dummy' } };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => request(server.baseUrl, 'POST', '/v3/register', body)),
  );
  const errcodes = answers.map((answer) => answer.body.errcode ?? 'none').sort();
  assert.deepEqual(errcodes, [...Array(9).fill('M_USER_IN_USE'), 'none']);
});

test('of refreshes at the same time one session is left', async () => {
  const { body } = await login('bob', { refresh_token: true });
  const refresh = () =>
    request(server.baseUrl, 'POST', '/v3/refresh', { refresh_token: body.refresh_token });
  const answers = await Promise.all(Array.from({ length: 8 }, refresh));
  const tokens = answers.flatMap((answer) => answer.body.access_token ?? []);
  let good = 0;
  for (const token of [...tokens, body.access_token]) {
    const { status } = await request(server.baseUrl, 'GET', '/v3/account/whoami', undefined, token);
    if (status === 200) good += 1;
  }
  assert.equal(good, 1);
  assert.equal((await refresh()).status, 401);
});

test('tokens of /sync that were tampered with show nothing of others and break nothing', async () => {
  const mallory = await register(server.baseUrl, 'mallory');
  const { next_batch: own } = await alice.sync();
  const parts = own.split('_');
  const forged = parts.flatMap((_: string, place: number) =>
    ['-1', '0', '-zzzzzz', '9'.repeat(50), '', '1.5', 'NaN'].map((value) =>
      parts.with(place, value).join('_'),
    ),
  );
  for (const since of [own, ...forged]) {
    const query = new URLSearchParams({ since, timeout: '0' });
    const { status, body } = await mallory.call('GET', `/v3/sync?${query}`);
    assert.ok(status === 200 || (status === 400 && body.errcode === 'M_INVALID_PARAM'), since);
    assert.equal(body.rooms, undefined);
  }
  const { next_batch } = await mallory.sync();
  assert.equal((await mallory.sync({ since: next_batch })).rooms, undefined);
});

test('a token from the future is refused after a moment', async () => {
  const parts = (await alice.sync()).next_batch.split('_');
  const query = new URLSearchParams({ since: parts.with(1, 'zzzzzz').join('_'), timeout: '0' });
  const answer = alice.call('GET', `/v3/sync?${query}`);
  let isAnswered = false;
  const done = answer.finally(() => {
    isAnswered = true;
  });
  while (!isAnswered) {
    server.clock.advance(100);
    await new Promise(setImmediate);
  }
  const { status, body } = await done;
  assert.deepEqual([status, body.errcode], [400, 'M_UNKNOWN_POS']);
});

test('messages to devices are sent to some at a time', async () => {
  const messages = (count: number) => ({
    messages: Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`@user${n}:localhost`, { '*': {} }]),
    ),
  });
  assert.equal(
    (await alice.call('PUT', '/v3/sendToDevice/org.test/1', messages(1000))).status,
    200,
  );
  const { status, body } = await alice.call('PUT', '/v3/sendToDevice/org.test/2', messages(1001));
  assert.deepEqual([status, body.errcode], [413, 'M_TOO_LARGE']);
});
