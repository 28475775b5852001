import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock.ts';
import { addressKey, createRateLimits } from './rate-limit.ts';
import { RATE_LIMIT_DEFAULTS } from './rate-limit-names.ts';
import { type Auth, jsonObject, route } from './route.ts';
import { startTestServer } from './testing.ts';

const whoami = (auth: Exclude<Auth, 'server'>) =>
  route({
    operationId: `who-${auth}`,
    method: 'GET',
    paths: [`/who/${auth}`],
    auth,
    handler: async ({ requester }) => ({ user: requester?.userId ?? null }),
  });
const routes = [whoami('none'), whoami('optional'), whoami('user'), whoami('guest')];
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test('each kind of route lets in whom it says', async (t) => {
  const server = await startTestServer(t, routes);
  for (const [auth, token, status, answer] of [
    ['none', undefined, 200, null],
    ['none', 'wrong', 200, null],
    ['none', 'alice', 200, null],
    ['optional', undefined, 200, null],
    ['optional', 'wrong', 401, 'M_UNKNOWN_TOKEN'],
    ['optional', 'guest', 200, '@guest:localhost'],
    ['user', undefined, 401, 'M_MISSING_TOKEN'],
    ['user', 'wrong', 401, 'M_UNKNOWN_TOKEN'],
    ['user', 'guest', 403, 'M_GUEST_ACCESS_FORBIDDEN'],
    ['user', 'alice', 200, '@alice:localhost'],
    ['guest', undefined, 401, 'M_MISSING_TOKEN'],
    ['guest', 'guest', 200, '@guest:localhost'],
    ['guest', 'alice', 200, '@alice:localhost'],
  ] as const) {
    const inHeader = await server.fetch(`/who/${auth}`, token && bearer(token));
    const inQuery = await server.fetch(`/who/${auth}?${token ? `access_token=${token}` : ''}`);
    for (const { status: actual, json } of [inHeader, inQuery]) {
      assert.deepEqual([actual, json.errcode ?? json.user], [status, answer], `${auth} ${token}`);
    }
  }
});

test('the header goes before the query, and another scheme is no token', async (t) => {
  const server = await startTestServer(t, routes);
  const both = await server.fetch('/who/user?access_token=bob', bearer('alice'));
  assert.equal(both.json.user, '@alice:localhost');
  for (const authorization of ['Basic YWxpY2U=', 'Bearer', 'Bearer a b', 'X-Matrix origin="a"']) {
    const { status, json } = await server.fetch('/who/user', { headers: { authorization } });
    assert.deepEqual([status, json.errcode], [401, 'M_MISSING_TOKEN'], authorization);
  }
});

test('who may not ask is told so before the body is read', async (t) => {
  const upload = route({
    operationId: 'upload',
    method: 'POST',
    paths: ['/upload'],
    auth: 'user',
    body: jsonObject,
    maxBodyBytes: 10,
    handler: async () => ({}),
  });
  const server = await startTestServer(t, [upload]);
  const body = 'x'.repeat(1_000_000);
  const refused = await server.fetch('/upload', { method: 'POST', body });
  assert.equal(refused.json.errcode, 'M_MISSING_TOKEN');
});

test('a named limit is taken per user, or per address where nobody is signed in', async (t) => {
  const limited = (path: string, auth: Auth) =>
    route({
      operationId: path,
      method: 'GET',
      paths: [path],
      auth,
      rateLimit: 'login',
      handler: async () => ({}),
    });
  const clock = new ManualClock();
  const table = { ...RATE_LIMIT_DEFAULTS, login: { perSecond: 0.5, burst: 2 } };
  const server = await startTestServer(t, [limited('/user', 'user'), limited('/any', 'none')], {
    rateLimits: createRateLimits(table, clock),
  });
  const ask = (path: string, token: string) => server.fetch(path, bearer(token));
  assert.equal((await ask('/user', 'alice')).status, 200);
  assert.equal((await ask('/user', 'alice')).status, 200);
  const refused = await ask('/user', 'alice');
  assert.equal(refused.status, 429);
  assert.deepEqual(refused.json, {
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too many requests',
    retry_after_ms: 2000,
  });
  assert.equal(refused.headers.get('retry-after'), '2');
  assert.equal((await ask('/user', 'bob')).status, 200);
  for (const status of [200, 200, 429]) assert.equal((await ask('/any', 'x')).status, status);
  clock.advance(1999);
  assert.equal((await ask('/user', 'alice')).status, 429);
  clock.advance(1);
  assert.equal((await ask('/user', 'alice')).status, 200);
});

test('guessing tokens is limited by address and leaves the signed-in user alone', async (t) => {
  const table = { ...RATE_LIMIT_DEFAULTS, request: { perSecond: 1, burst: 3 } };
  const server = await startTestServer(t, routes, {
    rateLimits: createRateLimits(table, new ManualClock()),
  });
  for (const status of [401, 401, 401, 429]) {
    assert.equal((await server.fetch('/who/user', bearer('guess'))).status, status);
  }
  assert.equal((await server.fetch('/who/user', bearer('alice'))).status, 200);
});

test('the least recently used keys are forgotten first', () => {
  const table = { ...RATE_LIMIT_DEFAULTS, login: { perSecond: 1, burst: 1 } };
  const limits = createRateLimits(table, new ManualClock(), 2);
  limits.consume('login', 'a');
  limits.consume('login', 'b');
  assert.throws(() => limits.consume('login', 'a'));
  limits.consume('login', 'c');
  assert.throws(() => limits.consume('login', 'a'));
  limits.consume('login', 'b');
});

test('one household counts as one address', () => {
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1');
  for (const [one, other] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1'],
    ['2001:db8::1', '2001:db8:0:0:ffff::'],
    ['::1', '0:0:0:0:0:0:0:2'],
  ] as const) {
    assert.equal(addressKey(one), addressKey(other));
  }
  assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'));
});
