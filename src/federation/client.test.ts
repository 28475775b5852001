import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { OTHER_CERTIFICATE, UNTRUSTED_CERTIFICATE } from '../../test/tls/fixtures.ts';
import { ManualClock } from '../clock.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { rawNumber } from '../protocol/json.ts';
import { parseForeignJson } from '../protocol/json-checks.ts';
import { federationPath } from './federation-path.ts';
import { HERE, HERE_KEY, openClient, type Seen, startServer } from './testing.ts';
import { verifyServerRequest } from './verify-request.ts';

const at = (port: number, host = 'localhost') => `${host}:${port}` as ServerName;
const path = '/_matrix/federation/v1/version';

/** The server that has signed what was seen, as the destination finds it. */
async function signerOf(seen: Seen, serverName: ServerName) {
  const keyRing = { key: async () => createPublicKey(HERE_KEY.privateKey) };
  const { method, url: uri, headers, body } = seen;
  const authorization = [headers.authorization ?? ''];
  return await verifyServerRequest(
    { method, uri, authorization, ...(body !== '' && { body: parseForeignJson(body) }) },
    { serverName, keyRing, clock: new ManualClock() },
  );
}

test('requests are signed over what is sent, and answered by an object', async (t) => {
  const server = await startServer(t, () => ({ ok: 1 }));
  const client = openClient(t);
  const destination = at(server.port);
  const awkward = { b: 'ä\u0001', a: [rawNumber('1.0') as never, null, 2 ** 53 - 1] };
  const requests = [
    { method: 'GET', path },
    { method: 'GET', path, query: { a: 'ä/b&c', ids: ['1', '2'], none: undefined } },
    {
      method: 'PUT',
      path: federationPath`/_matrix/federation/v2/x/${'!a/b:c'}/${'$é+'}`,
      body: {},
    },
    { method: 'POST', path, body: awkward },
  ] as const;
  for (const request of requests) {
    assert.deepEqual(await client.request({ destination, ...request }), { ok: 1 });
  }
  for (const seen of server.seen) assert.equal(await signerOf(seen, destination), HERE);
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    [
      path,
      `${path}?a=%C3%A4%2Fb%26c&ids=1&ids=2`,
      '/_matrix/federation/v2/x/!a%2Fb%3Ac/%24%C3%A9%2B',
      path,
    ],
  );
  assert.equal(server.seen[3]?.body, '{"a":[1.0,null,9007199254740991],"b":"ä\\u0001"}');
  const { headers, servername } = server.seen[3] as Seen;
  assert.equal(headers.host, destination);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['accept-encoding'], undefined);
  assert.equal(servername, 'localhost');
  // A second one may have been opened while the first was not quite free.
  assert.ok(server.connections() <= 2);
});

test('what needs no signature has none', async (t) => {
  const server = await startServer(t, () => ({}));
  const request = { destination: at(server.port), method: 'GET', path, signed: false } as const;
  await openClient(t).request(request);
  assert.equal(server.seen[0]?.headers.authorization, undefined);
});

test('numbers of an answer keep their source text, and version 1 is unwrapped', async (t) => {
  const server = await startServer(t, (_seen, response) => {
    response.end('[200, {"depth": 1.0, "n": 9223372036854775807}]');
  });
  const destination = at(server.port);
  const answer = await openClient(t).request({ destination, method: 'GET', path });
  assert.deepEqual(answer, { depth: rawNumber('1.0'), n: rawNumber('9223372036854775807') });
});

test('answers that are no JSON object are malformed', async (t) => {
  let text: string | Buffer = '';
  const server = await startServer(t, (_seen, response) => void response.end(text));
  const client = openClient(t);
  for (text of [
    '',
    '{',
    'null',
    '[]',
    '[200]',
    '[{},200]',
    '"a"',
    '<html>',
    Buffer.from([0x22, 0xff, 0x22]),
    '['.repeat(200_000),
    `{"a":${'['.repeat(128)}${']'.repeat(128)}}`,
  ]) {
    await assert.rejects(client.request({ destination: at(server.port), method: 'GET', path }), {
      name: 'FederationError',
      kind: 'malformed',
    });
  }
});

test('answers are bounded, whether or not they say their length', async (t) => {
  const server = await startServer(t, ({ url }, response) => {
    if (url.includes('length')) response.setHeader('content-length', 1001);
    response.write(`{"a":"${'x'.repeat(900)}`);
    response.end(`${'x'.repeat(93)}"}`);
  });
  const client = openClient(t);
  const request = { destination: at(server.port), method: 'GET', path } as const;
  for (const query of [{}, { length: '' }]) {
    await assert.rejects(client.request({ ...request, query, maxBytes: 1000 }), {
      kind: 'malformed',
      message: /more than 1000 bytes/,
    });
  }
  const whole = await client.request({ ...request, maxBytes: 1001 });
  assert.equal(String(whole.a).length, 993);
});

test('refusals have the errcode of the answer, and when to come again', async (t) => {
  const answers: [number, Record<string, string>, string][] = [
    [403, {}, '{"errcode":"M_FORBIDDEN","error":"no","room_version":"9"}'],
    [429, { 'retry-after': '7' }, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}'],
    [429, { 'retry-after': '7' }, '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":"x"}'],
    [503, { 'retry-after': new Date(1_700_000_060_000).toUTCString() }, '<html>'],
    [
      500,
      { 'retry-after': '-1' },
      `{"errcode":"${'x'.repeat(101)}","error":"${'y'.repeat(5000)}"}`,
    ],
    [302, { location: '/elsewhere' }, ''],
    [404, {}, `{"errcode":"M_NOT_FOUND","error":"${'z'.repeat(70_000)}"}`],
  ];
  let next = 0;
  const server = await startServer(t, (_seen, response) => {
    const [status, headers, text] = answers[next++] ?? [500, {}, ''];
    response.writeHead(status, headers).end(text);
  });
  const client = openClient(t, { clock: new ManualClock(1_700_000_000_000) });
  const expected: [number, (string | undefined)?, number?][] = [
    [403, 'M_FORBIDDEN'],
    [429, 'M_LIMIT_EXCEEDED', 1500],
    [429, 'M_LIMIT_EXCEEDED', 7000],
    [503, undefined, 60_000],
    [500],
    [302],
    [404],
  ];
  for (const [status, errcode, retryAfterMs] of expected) {
    const failed = await client
      .request({ destination: at(server.port), method: 'GET', path })
      .catch((error) => error);
    assert.equal(failed.kind, 'refused');
    assert.deepEqual(
      [failed.status, failed.errcode, failed.retryAfterMs],
      [status, errcode, retryAfterMs],
    );
    assert.ok(failed.message.length < 300);
    if (status === 403) assert.equal(failed.answer.room_version, '9');
  }
  assert.equal(server.seen.length, answers.length);
});

test('an answer that is drawn out ends at the timeout, and one that nobody waits for any more at once', async (t) => {
  const server = await startServer(t, ({ url }, response) => {
    if (url.includes('headers')) return;
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  });
  const client = openClient(t);
  for (const query of [{ headers: '' }, {}]) {
    const request = { destination: at(server.port), method: 'GET', path, query } as const;
    await assert.rejects(client.request({ ...request, timeoutMs: 100 }), {
      kind: 'unreachable',
      message: /not done within 100 ms/,
    });
    const controller = new AbortController();
    const waiting = client.request({ ...request, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('never mind')), 50);
    await assert.rejects(waiting, { kind: 'unreachable', message: /never mind/ });
  }
});

test('a server without a valid certificate for its name gets no request', async (t) => {
  const client = openClient(t);
  for (const [certificate, reason] of [
    [UNTRUSTED_CERTIFICATE, /self-signed/],
    [OTHER_CERTIFICATE, /does not match|altnames/],
  ] as const) {
    const server = await startServer(t, () => ({}), { certificate });
    for (const host of ['localhost', '127.0.0.1', 'a.test.example']) {
      await assert.rejects(
        client.request({ destination: at(server.port, host), method: 'GET', path }),
        { kind: 'unreachable', message: reason },
      );
    }
    assert.equal(server.seen.length, 0);
  }
});

test('IP literals are certified as such, and are not sent as SNI', async (t) => {
  const client = openClient(t);
  for (const [host, name] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ] as const) {
    const server = await startServer(t, () => ({}), { host });
    const destination = at(server.port, name);
    await client.request({ destination, method: 'GET', path });
    assert.equal(server.seen[0]?.headers.host, destination);
    assert.equal(server.seen[0]?.servername || false, false);
  }
});

test('the server itself is not asked', async (t) => {
  const request = { destination: HERE, method: 'GET', path } as const;
  await assert.rejects(openClient(t).request(request), { kind: 'denied' });
  const { port } = await startServer(t, () => ({}));
  const serverName = at(port, 'other.test.example');
  const client = openClient(t, { serverName });
  await assert.rejects(client.request({ ...request, destination: serverName }), { kind: 'denied' });
  const mayBe = { ...request, destination: serverName, mayBeOurselves: true };
  assert.deepEqual(await client.request(mayBe), {});
});
