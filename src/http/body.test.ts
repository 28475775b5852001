import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from '../json-schema.ts';
import { MAX_JSON_DEPTH } from '../protocol/json-checks.ts';
import { jsonObject, route } from './route.ts';
import { startTestServer } from './testing.ts';

const strict = route({
  operationId: 'strict',
  method: 'POST',
  paths: ['/strict'],
  auth: 'none',
  body: Type.Object({
    name: Type.String(),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    inner: Type.Optional(Type.Object({ key: Type.String() })),
  }),
  handler: async ({ body }) => body,
});

const loose = route({
  operationId: 'loose',
  method: 'POST',
  paths: ['/loose'],
  auth: 'none',
  body: jsonObject,
  maxBodyBytes: 100_000,
  handler: async ({ body }) => body,
});

const lenient = route({
  operationId: 'lenient',
  method: 'POST',
  paths: ['/lenient'],
  auth: 'none',
  body: Type.Object({ reason: Type.Optional(Type.String()) }),
  bodyOptional: true,
  handler: async ({ body }) => body,
});

const post = (body: string | Uint8Array<ArrayBuffer>, headers = {}) => ({
  method: 'POST',
  body,
  headers,
});

test('what is no JSON is M_NOT_JSON', async (t) => {
  const server = await startTestServer(t, [loose]);
  for (const body of [
    '',
    '{',
    '{"a":1',
    'a=b',
    '{"a":01}',
    '{"a":NaN}',
    "{'a':1}",
    '{"a":"\n"}',
    '\ufeff{}',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    Buffer.from('7b2261223a22eda08022 7d'.replaceAll(' ', ''), 'hex'),
  ]) {
    const { status, json } = await server.fetch('/loose', post(body));
    assert.deepEqual([status, json.errcode], [400, 'M_NOT_JSON'], String(body));
  }
});

test('JSON that is not wanted or cannot be kept is M_BAD_JSON', async (t) => {
  const server = await startTestServer(t, [loose]);
  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  for (const body of [
    '[]',
    'null',
    '"x"',
    '1',
    nested(10_000),
    nested(MAX_JSON_DEPTH),
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    '{"a":"\\u0000"}',
    '{"\\u0000":1}',
    '{"a":["\\ud800"]}',
    '{"\\udc00":1}',
    '{"a":9007199254740993}',
    '{"a":-9007199254740993}',
    '{"a":1e400}',
    '{"a":1e300}',
    '{"__proto__":{"admin":true}}',
    '{"a":[{"\\u005f_proto__":1}]}',
  ]) {
    const { status, json } = await server.fetch('/loose', post(body));
    assert.deepEqual([status, json.errcode], [400, 'M_BAD_JSON'], body.slice(0, 60));
  }
  assert.equal(server.logged.length, 0);
});

test('JSON that is unusual but sound passes unchanged', async (t) => {
  const server = await startTestServer(t, [loose]);
  for (const [body, wanted] of [
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"constructor":{"prototype":1}}', { constructor: { prototype: 1 } }],
    ['{"a":0.5,"b":9007199254740991,"c":-9007199254740991}', undefined],
    ['{"":"\\ud83d\\ude00","hasOwnProperty":1}', { '': '😀', hasOwnProperty: 1 }],
    [' \n{"unknown":null}\t', { unknown: null }],
    [`{"a":${'['.repeat(MAX_JSON_DEPTH - 1)}${']'.repeat(MAX_JSON_DEPTH - 1)}}`, undefined],
  ] as const) {
    const { status, json } = await server.fetch('/loose', post(body));
    assert.equal(status, 200, body);
    assert.deepEqual(json, wanted ?? JSON.parse(body));
  }
});

test('the schema: missing key, wrong type, nothing coerced, nothing removed', async (t) => {
  const server = await startTestServer(t, [strict]);
  for (const [body, errcode, message] of [
    ['{}', 'M_MISSING_PARAM', /'name'/],
    ['{"name":5}', 'M_BAD_JSON', /'name' must be string/],
    ['{"name":null}', 'M_BAD_JSON', /'name'/],
    ['{"name":"x","limit":"5"}', 'M_BAD_JSON', /'limit' must be integer/],
    ['{"name":"x","limit":1.5}', 'M_BAD_JSON', /'limit'/],
    ['{"name":"x","limit":-1}', 'M_BAD_JSON', /'limit'/],
    ['{"name":"x","inner":{}}', 'M_BAD_JSON', /'inner'.*'key'/],
    ['[]', 'M_BAD_JSON', /object/],
  ] as const) {
    const { status, json } = await server.fetch('/strict', post(body));
    assert.deepEqual([status, json.errcode], [400, errcode], body);
    assert.match(String(json.error), message);
  }
  const { json } = await server.fetch('/strict', post('{"name":"x","more":[1]}'));
  assert.deepEqual(json, { name: 'x', more: [1] });
});

test('the content type does not matter, an absent body only where it is optional', async (t) => {
  const server = await startTestServer(t, [loose, lenient]);
  for (const type of [
    'application/x-www-form-urlencoded',
    'nonsense',
    'text/plain;;;',
    'a/b; c="',
  ]) {
    const { status } = await server.fetch('/loose', post('{}', { 'content-type': type }));
    assert.equal(status, 200, type);
  }
  assert.deepEqual((await server.fetch('/lenient', { method: 'POST' })).json, {});
  assert.equal((await server.fetch('/lenient', post('{"reason":1}'))).json.errcode, 'M_BAD_JSON');
  assert.equal((await server.fetch('/loose', { method: 'POST' })).json.errcode, 'M_NOT_JSON');
});

test('a body beyond the limit is 413 M_TOO_LARGE, with and without a length, and the next one works', async (t) => {
  const server = await startTestServer(t, [loose]);
  const big = `{"a":"${'x'.repeat(100_000)}"}`;
  const chunked = new ReadableStream({
    pull(controller) {
      controller.enqueue(Buffer.alloc(20_000, 'x'));
    },
  });
  for (const init of [
    post(big),
    { method: 'POST', body: chunked, duplex: 'half' } as RequestInit,
  ]) {
    const { status, json } = await server.fetch('/loose', init);
    assert.deepEqual([status, json.errcode], [413, 'M_TOO_LARGE']);
  }
  assert.equal((await server.fetch('/loose', post('{}'))).status, 200);
});

test('a refused body leaves the connection usable', async (t) => {
  const server = await startTestServer(t, [loose]);
  const refused = await server.fetch('/loose', post('{'));
  assert.notEqual(refused.headers.get('connection'), 'close');
});
