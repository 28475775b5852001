import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../clock.ts';
import { ListenError } from './listener.ts';
import { text } from './parameters.ts';
import { noRateLimits } from './rate-limit.ts';
import { reply } from './reply.ts';
import { route } from './route.ts';
import { createHttpServer } from './server.ts';
import { startTestServer } from './testing.ts';

const handler = async () => ({});
const ping = route({
  operationId: 'ping',
  method: 'GET',
  paths: ['/_matrix/client/versions', '/_matrix/key/v2/server'],
  auth: 'none',
  handler: async ({ remoteAddress }) => ({ remoteAddress }),
});

/** A route whose handler waits until it is let go, and tells when it has begun. */
function heldRoute(wait: (signal: AbortSignal) => Promise<void>) {
  const begun = Promise.withResolvers<void>();
  const hold = route({
    operationId: 'hold',
    method: 'GET',
    paths: ['/hold'],
    auth: 'none',
    async handler({ signal }) {
      const waiting = wait(signal);
      begun.resolve();
      await waiting;
      return { wasAborted: signal.aborted };
    },
  });
  return { hold, begun: begun.promise };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

test('several listeners, one of them with TLS, serve the same routes', async (t) => {
  const vectors = new URL('../../test/vectors/tls/', import.meta.url);
  const cert = await readFile(new URL('localhost.crt', vectors), 'utf8');
  const key = await readFile(new URL('localhost.key', vectors), 'utf8');
  const server = await startTestServer(t, [ping], {
    listeners: [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0, tls: { cert, key } },
    ],
  });
  assert.equal((await server.fetch('/_matrix/client/versions')).status, 200);
  const status = await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.ports[1], ca: cert, servername: 'localhost' };
    const request = tlsRequest({ ...options, path: '/_matrix/client/versions' }, (response) =>
      resolve(response.resume().statusCode),
    );
    request.on('error', reject).end();
  });
  assert.equal(status, 200);
});

test('a listener serves only the resources it names', async (t) => {
  const server = await startTestServer(t, [ping], {
    listeners: [{ host: '127.0.0.1', port: 0, resources: ['client'] }],
  });
  assert.equal((await server.fetch('/_matrix/client/versions')).status, 200);
  const other = await server.fetch('/_matrix/key/v2/server');
  assert.deepEqual([other.status, other.json.errcode], [404, 'M_UNRECOGNIZED']);
});

test('X-Forwarded-For counts only where it is trusted, and only what the proxy added', async (t) => {
  const headers = { 'x-forwarded-for': '10.0.0.1, 203.0.113.9' };
  const plain = await startTestServer(t, [ping]);
  const direct = await plain.fetch('/_matrix/client/versions', { headers });
  assert.equal(direct.json.remoteAddress, '127.0.0.1');
  const proxied = await startTestServer(t, [ping], {
    listeners: [{ host: '127.0.0.1', port: 0, trustForwardedFor: true }],
  });
  const through = await proxied.fetch('/_matrix/client/versions', { headers });
  assert.equal(through.json.remoteAddress, '203.0.113.9');
});

test('where one port is taken none is opened, and the error names the listener', async (t) => {
  const first = await startTestServer(t, [ping]);
  const taken = { host: '127.0.0.1', port: first.ports[0] ?? 0 };
  const second = await createHttpServer({
    listeners: [{ host: '127.0.0.1', port: 0 }, taken],
    routes: [ping],
    authenticate: () => Promise.reject(new Error('unused')),
    rateLimits: noRateLimits,
    logger: (await import('../logger.ts')).silentLogger,
    clock: new ManualClock(),
  });
  await assert.rejects(second.listen(), (error) => {
    assert.ok(error instanceof ListenError);
    assert.equal(error.code, 'EADDRINUSE');
    assert.equal(error.listener, taken);
    return true;
  });
  await second.close();
});

test('closing ends long polls, answers them, and refuses new connections', async (t) => {
  const { hold, begun } = heldRoute(untilAborted);
  const server = await startTestServer(t, [hold]);
  const answer = server.fetch('/hold');
  await begun;
  await server.server.close();
  assert.deepEqual((await answer).json, { wasAborted: true });
  assert.equal((await answer).headers.get('connection'), 'close');
  await assert.rejects(fetch(`${server.url}/hold`));
});

test('closing waits for what is in flight, for a bounded time', async (t) => {
  const release = Promise.withResolvers<void>();
  const { hold, begun } = heldRoute(() => release.promise);
  const clock = new ManualClock();
  const server = await startTestServer(t, [hold], { clock, closeGraceMs: 5000 });
  const answer = server.fetch('/hold').catch((error: unknown) => error);
  await begun;
  let isClosed = false;
  const closed = server.server.close().then(() => {
    isClosed = true;
  });
  clock.advance(4999);
  await new Promise(setImmediate);
  assert.equal(isClosed, false);
  clock.advance(1);
  await closed;
  assert.ok((await answer) instanceof Error);
  release.resolve();
});

test('closing ends a kept-alive connection once its answer is out', async (t) => {
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const stream = route({
    operationId: 'stream',
    method: 'GET',
    paths: ['/stream'],
    auth: 'none',
    async handler() {
      async function* parts() {
        yield 'first ';
        begun.resolve();
        await release.promise;
        yield 'last';
      }
      return reply({ headers: { 'content-type': 'text/plain' }, body: Readable.from(parts()) });
    },
  });
  const server = await startTestServer(t, [stream]);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const body = new Promise<string>((resolve, reject) => {
    const request = httpRequest(`${server.url}/stream`, { agent }, (response) =>
      resolve(readText(response)),
    );
    request.on('error', reject).end();
  });
  await begun.promise;
  const closed = server.server.close();
  release.resolve();
  assert.equal(await body, 'first last');
  await closed;
});

test('the signal is aborted when the client goes away, and nothing is logged for it', async (t) => {
  const aborted = Promise.withResolvers<void>();
  const { hold, begun } = heldRoute(async (signal) => {
    await untilAborted(signal);
    aborted.resolve();
    signal.throwIfAborted();
  });
  const server = await startTestServer(t, [hold]);
  const leaving = new AbortController();
  const answer = fetch(`${server.url}/hold`, { signal: leaving.signal });
  await begun;
  leaving.abort();
  await assert.rejects(answer);
  await aborted.promise;
  await server.server.close();
  assert.deepEqual(server.logged, []);
});

test('an upload streams, keeps its content type, and is cut off at its limit', async (t) => {
  const upload = route({
    operationId: 'upload',
    method: 'POST',
    paths: ['/upload'],
    auth: 'none',
    query: { filename: text() },
    rawBody: true,
    maxBodyBytes: 1000,
    handler: async ({ stream, contentType, query }) => {
      const length = (await readText(stream)).length;
      return { length, contentType, ...query };
    },
  });
  const server = await startTestServer(t, [upload]);
  const post = (body: RequestInit['body']) =>
    server.fetch('/upload?filename=a', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'image/png; odd' },
    } as RequestInit);
  const chunks = (count: number) => ReadableStream.from(Array(count).fill(Buffer.alloc(100, 'x')));
  const { json } = await post(Buffer.alloc(1000, 'x'));
  assert.deepEqual(json, { length: 1000, contentType: 'image/png; odd', filename: 'a' });
  assert.equal((await post(chunks(10))).json.length, 1000);
  for (const body of [Buffer.alloc(1001), chunks(11)]) {
    const refused = await post(body);
    assert.deepEqual([refused.status, refused.json.errcode], [413, 'M_TOO_LARGE']);
  }
  const empty = await server.fetch('/upload?filename=a', { method: 'POST' });
  assert.equal(empty.json.length, 0);
});

test('a client that breaks off an upload nobody reads harms nobody', async (t) => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const upload = route({
    operationId: 'upload',
    method: 'POST',
    paths: ['/upload'],
    auth: 'none',
    rawBody: true,
    async handler({ stream }) {
      begun.resolve();
      await release.promise;
      return { isDestroyed: stream.destroyed };
    },
  });
  const server = await startTestServer(t, [upload, ping]);
  const socket = connect(server.ports[0] ?? 0, '127.0.0.1');
  socket.write('POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
  await begun.promise;
  const gone = once(socket, 'close');
  socket.destroy();
  await gone;
  assert.equal((await server.fetch('/_matrix/client/versions')).status, 200);
  release.resolve();
  await server.server.close();
  assert.deepEqual(server.logged, []);
});

function sendRaw(t: TestContext, port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  t.after(() => socket.destroy());
  return readText(socket);
}

test('what is no HTTP gets an answer all the same', async (t) => {
  const server = await startTestServer(t, [ping]);
  const port = server.ports[0] ?? 0;
  assert.match(await sendRaw(t, port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 .*"errcode"/s);
  const long = `GET /${'x'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  assert.match(await sendRaw(t, port, long), /^HTTP\/1\.1 431 /);
  const short =
    'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello';
  assert.match(await sendRaw(t, port, short), /^HTTP\/1\.1 400 /);
});

test('who was refused is let go, though she keeps her end open', async (t) => {
  const server = await startTestServer(t, [ping], { maxConnections: 1 });
  const port = server.ports[0] ?? 0;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.write('nonsense\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  const request = 'GET /_matrix/client/versions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  assert.match(await sendRaw(t, port, request), /^HTTP\/1\.1 200 /);
});

test('there are no more connections than are allowed', async (t) => {
  const server = await startTestServer(t, [ping], { maxConnections: 3 });
  const port = server.ports[0] ?? 0;
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const sockets = [await open(), await open(), await open()];
  const request = 'GET /_matrix/client/versions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  assert.equal(await sendRaw(t, port, request).catch(() => ''), '');
  const gone = once(sockets[0] as Socket, 'close');
  sockets[0]?.end(request);
  sockets[0]?.resume();
  await gone;
  assert.match(await sendRaw(t, port, request), /^HTTP\/1\.1 200 /);
});

test('a route described twice is refused at start', async (t) => {
  const twice = route({ ...ping, operationId: 'again', handler });
  await assert.rejects(startTestServer(t, [ping, twice]), /already declared/);
});
