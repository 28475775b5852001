import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../clock.ts';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { text } from './parameters.ts';
import { createRateLimits } from './rate-limit.ts';
import { RATE_LIMIT_DEFAULTS } from './rate-limit-names.ts';
import { jsonObject, route } from './route.ts';
import type { SignedRequest } from './server-request.ts';
import { startTestServer } from './testing.ts';

const put = route({
  operationId: 'put',
  method: 'PUT',
  paths: ['/_matrix/federation/v1/put/:id'],
  auth: 'server',
  params: { id: text() },
  body: Type.Object({ inner: jsonObject }),
  maxBodyBytes: 1000,
  handler: async ({ requester: { origin }, body }) => ({ origin, inner: body.inner }),
});
const anyText = { ...put, paths: ['/_matrix/federation/v1/any/:id'], anyText: true };
const get = route({
  operationId: 'get',
  method: 'GET',
  paths: ['/_matrix/federation/v1/get'],
  auth: 'server',
  handler: async ({ requester }) => requester,
});

const authorization = 'X-Matrix origin="other",key="ed25519:1",sig="x"';

async function start(t: TestContext, overrides = {}) {
  const seen: SignedRequest[] = [];
  const server = await startTestServer(t, [put, anyText, get], {
    authenticateServer: async (request) => {
      seen.push(request);
      if (request.authorization.includes('X-Matrix wrong'))
        throw new MatrixError('M_UNAUTHORIZED', 'No');
      return 'other' as ServerName;
    },
    ...overrides,
  });
  const send = (path: string, body: string, header = authorization) =>
    server.fetch(path, { method: 'PUT', body, headers: { authorization: header } });
  return { server, seen, send };
}

test('what was signed is handed over as it stood in the request', async (t) => {
  const { seen, send } = await start(t);
  const answer = await send('/_matrix/federation/v1/put/%21a?b=%2F', '{"inner":{"n":1}}');
  assert.deepEqual([answer.status, answer.json], [200, { origin: 'other', inner: { n: 1 } }]);
  assert.deepEqual(seen, [
    {
      authorization: [authorization],
      method: 'PUT',
      uri: '/_matrix/federation/v1/put/%21a?b=%2F',
      body: { inner: { n: 1 } },
    },
  ]);
});

test('without a body nothing of one is signed', async (t) => {
  const { server, seen } = await start(t);
  const answer = await server.fetch('/_matrix/federation/v1/get', { headers: { authorization } });
  assert.deepEqual(answer.json, { origin: 'other' });
  assert.equal(seen[0]?.body, undefined);
});

test('numbers of the body are kept exactly', async (t) => {
  const { server } = await start(t);
  const response = await fetch(`${server.url}/_matrix/federation/v1/put/x`, {
    method: 'PUT',
    body: '{"inner":{"float":1.0,"big":9223372036854775807,"e":1e5}}',
    headers: { authorization },
  });
  const text = await response.text();
  assert.match(text, /"float":1\.0,"big":9223372036854775807,"e":1e5/);
});

test('a wrong signature is refused before the body is judged', async (t) => {
  const { send } = await start(t);
  const answer = await send('/_matrix/federation/v1/put/x', '{}', 'X-Matrix wrong');
  assert.deepEqual([answer.status, answer.json.errcode], [401, 'M_UNAUTHORIZED']);
});

test('without X-Matrix nobody is asked', async (t) => {
  const { server, seen, send } = await start(t);
  for (const header of ['Bearer alice', 'X-Matrix']) {
    const answer = await send('/_matrix/federation/v1/put/x', '{"inner":{}}', header);
    assert.deepEqual([answer.status, answer.json.errcode], [401, 'M_UNAUTHORIZED'], header);
  }
  const bare = await server.fetch('/_matrix/federation/v1/get');
  assert.deepEqual([bare.status, bare.json.errcode], [401, 'M_UNAUTHORIZED']);
  assert.deepEqual(seen, []);
});

test('a server that does not federate lets nobody in', async (t) => {
  const { send } = await start(t, { authenticateServer: undefined });
  const answer = await send('/_matrix/federation/v1/put/x', '{"inner":{}}');
  assert.deepEqual([answer.status, answer.json.errcode], [401, 'M_UNAUTHORIZED']);
});

test('bodies that are no JSON, too deep, too large or cannot be kept are refused', async (t) => {
  const { send, seen } = await start(t);
  const wrong: [string, string, number][] = [
    ['{', 'M_NOT_JSON', 400],
    [`{"inner":${'['.repeat(200)}${']'.repeat(200)}}`, 'M_BAD_JSON', 400],
    [`{"inner":{"x":"${'x'.repeat(2000)}"}}`, 'M_TOO_LARGE', 413],
    ['{"inner":{"x":"\\u0000"}}', 'M_BAD_JSON', 400],
    ['{"inner":{"__proto__":{}}}', 'M_BAD_JSON', 400],
  ];
  for (const [body, errcode, status] of wrong) {
    const answer = await send('/_matrix/federation/v1/put/x', body);
    assert.deepEqual([answer.status, answer.json.errcode], [status, errcode], body.slice(0, 40));
  }
  assert.deepEqual(seen, []);
  const bad = await send('/_matrix/federation/v1/put/x', '{"inner":1}');
  assert.deepEqual([bad.status, bad.json.errcode], [400, 'M_BAD_JSON']);
  const absent = await send('/_matrix/federation/v1/put/x', '');
  assert.deepEqual([absent.status, absent.json.errcode], [400, 'M_NOT_JSON']);
});

test('a route may take text that cannot be kept, to refuse it piece by piece', async (t) => {
  const { send } = await start(t);
  const answer = await send('/_matrix/federation/v1/any/x', '{"inner":{"x":"\\u0000"}}');
  assert.deepEqual(answer.json.inner, { x: '\0' });
});

test('servers are limited by their name once it is known, and by address before', async (t) => {
  const table = {
    ...RATE_LIMIT_DEFAULTS,
    federation: { perSecond: 1, burst: 2 },
    federationAddress: { perSecond: 1, burst: 4 },
  };
  const { send } = await start(t, { rateLimits: createRateLimits(table, new ManualClock()) });
  const outcomes: unknown[] = [];
  for (const header of [authorization, authorization, authorization, 'X-Matrix wrong']) {
    const { status } = await send('/_matrix/federation/v1/put/x', '{"inner":{}}', header);
    outcomes.push(status);
  }
  assert.deepEqual(outcomes, [200, 200, 429, 401]);
  const { status } = await send('/_matrix/federation/v1/put/x', '{"inner":{}}', 'X-Matrix wrong');
  assert.equal(status, 429);
});
