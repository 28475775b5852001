import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';
import { boolean, integer, oneOf, optional, repeated, text, withDefault } from './parameters.ts';
import { reply } from './reply.ts';
import { jsonObject, route } from './route.ts';
import { startTestServer } from './testing.ts';

// The type library does not know it yet.
const rawJson = JSON as unknown as { rawJSON(text: string): object };

const state = route({
  operationId: 'setRoomStateWithKey',
  method: 'PUT',
  paths: [
    '/_matrix/client/{r0,v3}/rooms/:roomId/state/:eventType{,/}',
    '/_matrix/client/{r0,v3}/rooms/:roomId/state/:eventType/:stateKey',
  ],
  auth: 'user',
  params: { roomId: text(), eventType: text(), stateKey: withDefault(text(), '') },
  body: jsonObject,
  handler: async ({ params, body }) => ({ ...params, body }),
});

const put = (body: string) => ({ method: 'PUT', body, headers: { authorization: 'Bearer alice' } });

test('every alternative of a path answers, with the state key, without it and with a bare slash', async (t) => {
  const server = await startTestServer(t, [state]);
  for (const version of ['r0', 'v3']) {
    const base = `/_matrix/client/${version}/rooms/!r%2Fx:localhost/state/m.room.name`;
    for (const [suffix, stateKey] of [
      ['', ''],
      ['/', ''],
      ['/a%20%F0%9F%98%80b', 'a 😀b'],
    ]) {
      const { status, json } = await server.fetch(base + suffix, put('{"name":"x"}'));
      assert.equal(status, 200, base + suffix);
      assert.deepEqual(json, {
        roomId: '!r/x:localhost',
        eventType: 'm.room.name',
        stateKey,
        body: { name: 'x' },
      });
    }
  }
});

test('an unknown path is 404, a known one with another method 405, both M_UNRECOGNIZED', async (t) => {
  const server = await startTestServer(t, [state]);
  const unknown = await server.fetch('/_matrix/client/v3/nothing', put('{'));
  assert.equal(unknown.status, 404);
  assert.equal(unknown.json.errcode, 'M_UNRECOGNIZED');
  const wrong = await server.fetch('/_matrix/client/v3/rooms/!r/state/m.x/', { method: 'DELETE' });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.json.errcode, 'M_UNRECOGNIZED');
  assert.equal(wrong.headers.get('allow'), 'PUT');
  assert.equal((await server.fetch('/', { method: 'PATCH' })).status, 404);
});

test('responses carry CORS headers, and OPTIONS runs nothing', async (t) => {
  const server = await startTestServer(t, [state]);
  const path = '/_matrix/client/v3/rooms/!r/state/m.x';
  for (const response of [
    await server.fetch(path, { method: 'OPTIONS' }),
    await server.fetch(path, put('{}')),
    await server.fetch(path, put('{')),
    await server.fetch('/nothing'),
    await server.fetch('/%E0%A4%A'),
  ]) {
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.match(response.headers.get('access-control-allow-headers') ?? '', /Authorization/);
  }
  assert.equal((await server.fetch(path, { method: 'OPTIONS' })).status, 204);
});

test('malformed percent-encoding and NUL in path or query are 400', async (t) => {
  const server = await startTestServer(t, [state]);
  for (const [suffix, errcode] of [
    ['/%E0%A4%A', 'M_INVALID_PARAM'],
    ['/%ED%A0%80', 'M_INVALID_PARAM'],
    ['/a%00b', 'M_INVALID_PARAM'],
  ]) {
    const path = `/_matrix/client/v3/rooms/!r/state/m.x${suffix}`;
    const { status, json } = await server.fetch(path, put('{}'));
    assert.equal(status, 400, path);
    assert.equal(json.errcode, errcode);
  }
});

const search = route({
  operationId: 'search',
  method: 'GET',
  paths: ['/search'],
  auth: 'none',
  query: {
    limit: withDefault(integer({ minimum: 0, maximum: 100 }), 10),
    dir: oneOf('b', 'f'),
    full: optional(boolean()),
    via: repeated(text()),
  },
  handler: async ({ query }) => query,
});

test('query parameters are read by type', async (t) => {
  const server = await startTestServer(t, [search]);
  assert.deepEqual((await server.fetch('/search?dir=b')).json, { limit: 10, dir: 'b', via: [] });
  const all = await server.fetch('/search?dir=f&limit=7&full=true&via=a+b&via=%C3%BC&&other=%01');
  assert.deepEqual(all.json, { limit: 7, dir: 'f', full: true, via: ['a b', 'ü'] });
});

test('nonsense in query parameters is M_INVALID_PARAM, absence M_MISSING_PARAM', async (t) => {
  const server = await startTestServer(t, [search]);
  for (const query of [
    'dir=x',
    'dir=b&dir=f',
    'dir=b&limit=',
    'dir=b&limit=1.5',
    'dir=b&limit=-1',
    'dir=b&limit=101',
    'dir=b&limit=0x10',
    'dir=b&limit=99999999999999999999',
    'dir=b&full=yes',
    'dir=b&via=%00',
    'dir=b&via=%FF',
    'dir=b&%=1',
  ]) {
    const { status, json } = await server.fetch(`/search?${query}`);
    assert.deepEqual([status, json.errcode], [400, 'M_INVALID_PARAM'], query);
  }
  const { status, json } = await server.fetch('/search?limit=1');
  assert.deepEqual([status, json.errcode], [400, 'M_MISSING_PARAM']);
});

test('a handler chooses status, headers and kind of body', async (t) => {
  const answers: Record<string, () => object> = {
    empty: () => reply({ status: 204 }),
    bytes: () => reply({ headers: { 'content-type': 'image/png' }, body: Buffer.from('png') }),
    page: () => reply({ headers: { 'content-type': 'text/html' }, body: '<p>' }),
    json: () => reply({ status: 401, body: { flows: [] } }),
    big: () => ({ n: rawJson.rawJSON('9007199254740993') }),
  };
  const server = await startTestServer(t, [
    route({
      operationId: 'answer',
      method: 'GET',
      paths: ['/answer/:kind'],
      auth: 'none',
      params: { kind: text() },
      handler: async ({ params }) => answers[params.kind]?.() ?? {},
    }),
  ]);
  assert.equal((await server.fetch('/answer/empty')).status, 204);
  assert.equal((await server.fetch('/answer/bytes')).json.text, 'png');
  assert.equal((await server.fetch('/answer/bytes')).headers.get('content-type'), 'image/png');
  assert.equal((await server.fetch('/answer/page')).json.text, '<p>');
  const unauthorized = await server.fetch('/answer/json');
  assert.deepEqual([unauthorized.status, unauthorized.json], [401, { flows: [] }]);
  const big = await fetch(`${server.url}/answer/big`);
  assert.equal(await big.text(), '{"n":9007199254740993}');
});

test('errors: the table, the status of the route, and nothing of what nobody foresaw', async (t) => {
  const failures: Record<string, () => Error> = {
    forbidden: () => new MatrixError('M_FORBIDDEN', 'no', { soft_logout: true }),
    taken: () => new MatrixError('M_USER_IN_USE', 'taken'),
    bug: () => new TypeError('secret detail'),
  };
  const server = await startTestServer(t, [
    route({
      operationId: 'fail',
      method: 'GET',
      paths: ['/fail/:how'],
      auth: 'none',
      params: { how: text() },
      errorStatus: { M_USER_IN_USE: 409 },
      handler: async ({ params }) => {
        throw failures[params.how]?.();
      },
    }),
  ]);
  const forbidden = await server.fetch('/fail/forbidden');
  assert.equal(forbidden.status, 403);
  assert.deepEqual(forbidden.json, { errcode: 'M_FORBIDDEN', error: 'no', soft_logout: true });
  assert.equal((await server.fetch('/fail/taken')).status, 409);
  assert.equal(server.logged.length, 0);
  const bug = await server.fetch('/fail/bug?access_token=secret');
  assert.equal(bug.status, 500);
  assert.deepEqual(bug.json, { errcode: 'M_UNKNOWN', error: 'Internal server error' });
  assert.equal(server.logged.length, 1);
  assert.equal(typeof server.logged[0]?.requestId, 'string');
  assert.equal(server.logged[0]?.route, '/fail/:how');
});

test('a route whose paths and readers disagree is refused when it is made', () => {
  const handler = async () => ({});
  const spec = { operationId: 'x', method: 'GET', auth: 'none', handler } as const;
  assert.throws(() => route({ ...spec, paths: ['/a/:b'] }), /':b'.*no reader/);
  assert.throws(() => route({ ...spec, paths: ['/a'], params: { b: text() } }), /'b' does not/);
  assert.throws(() => route({ ...spec, paths: ['a'] }), /not absolute/);
});

test('the types of a handler come from its schemas', () => {
  route({
    operationId: 'typed',
    method: 'POST',
    paths: ['/:room'],
    auth: 'optional',
    params: { room: text() },
    query: { limit: optional(integer()) },
    body: Type.Object({ name: Type.Optional(Type.String()) }),
    handler: async ({ params, query, body, requester }) => {
      const room: string = params.room;
      const limit: number | undefined = query.limit;
      const name: string | undefined = body.name;
      // @ts-expect-error nobody may be signed in
      requester.userId satisfies string;
      return { room, limit, name };
    },
  });
});
