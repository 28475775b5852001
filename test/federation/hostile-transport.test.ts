// Answers that are hostile before they are JSON: drawn out, without end, compressed, of wrong length. Each ends as a failure of
// its own within its time, and the next request to the same server is answered.

import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/clock.ts';
import type { FederationError } from '../../src/federation/federation-error.ts';
import { openClient } from '../../src/federation/testing.ts';
import { WellKnown } from '../../src/federation/well-known.ts';
import type { ServerName } from '../../src/protocol/identifiers.ts';
import { TLS } from './entrance.ts';

type Talk = (socket: Socket) => void;

const TIMEOUT_MS = 1_000;
const MAX_BYTES = 100_000;
const EMPTY = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

/** Says to the n-th request what the n-th function does, and after the last one `{}`. */
async function listen(t: TestContext, talks: readonly Talk[]): Promise<ServerName> {
  const sockets = new Set<Socket>();
  const left = [...talks];
  const server = createServer(TLS, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      if (!data.includes('HTTP/1.1\r\n')) return;
      const talk = left.shift();
      if (talk === undefined) socket.write(EMPTY);
      else talk(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `localhost:${(server.address() as AddressInfo).port}` as ServerName;
}

/** Writes again and again until the other side has had enough. */
function endlessly(text: string, everyMs: number): Talk {
  return (socket) => {
    const timer = setInterval(() => socket.write(text), everyMs);
    socket.once('close', () => clearInterval(timer));
  };
}

const say = (text: string | Buffer): Talk => {
  return (socket) => void socket.write(text);
};
const first =
  (text: string, then: Talk): Talk =>
  (socket) => {
    socket.write(text);
    then(socket);
  };
const answer = (headers: string, body: string | Buffer): Talk => {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${headers}\r\n`;
  return say(Buffer.concat([Buffer.from(head), Buffer.from(body)]));
};

const bomb = gzipSync(Buffer.alloc(5_000_000, ' '));
const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

const HOSTILE: Readonly<Record<string, readonly [Talk, FederationError['kind']]>> = {
  'a body of a byte now and then': [
    first('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{', endlessly(' ', 20)),
    'unreachable',
  ],
  'headers of a byte now and then': [
    first('HTTP/1.1 200 OK\r\nx: ', endlessly('x', 20)),
    'unreachable',
  ],
  'headers without end': [
    first('HTTP/1.1 200 OK\r\n', endlessly('x-more: and more\r\n'.repeat(500), 1)),
    'unreachable',
  ],
  'a first line without end': [
    first('HTTP/1.1 200 ', endlessly('O'.repeat(5000), 1)),
    'unreachable',
  ],
  'provisional answers without end': [
    endlessly('HTTP/1.1 102 Processing\r\n\r\n', 1),
    'unreachable',
  ],
  silence: [() => undefined, 'unreachable'],
  'a body without end': [
    first(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
      endlessly(`1000\r\n${' '.repeat(4096)}\r\n`, 1),
    ),
    'malformed',
  ],
  'a length beyond all bounds': [answer('content-length: 99999999999\r\n', '{'), 'malformed'],
  'less than it said': [
    (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}'),
    'unreachable',
  ],
  'a length below zero': [answer('content-length: -2\r\n', '{}'), 'unreachable'],
  'two lengths': [answer('content-length: 2\r\ncontent-length: 3\r\n', '{} '), 'unreachable'],
  'a length and chunks': [
    answer('content-length: 2\r\ntransfer-encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'),
    'unreachable',
  ],
  'a bomb of gzip': [
    answer(`content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n`, bomb),
    'malformed',
  ],
  'a bomb of JSON': [answer(`content-length: ${deep.length}\r\n`, deep), 'malformed'],
  'a redirect': [
    say('HTTP/1.1 302 Found\r\nlocation: https://localhost:1/\r\ncontent-length: 0\r\n\r\n'),
    'refused',
  ],
  'another protocol': [say('HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'), 'unreachable'],
  'no HTTP at all': [say('EHLO localhost\r\n\r\n'), 'unreachable'],
};

for (const [name, [talk, kind]] of Object.entries(HOSTILE)) {
  test(`${name}, as an answer`, async (t) => {
    const destination = await listen(t, [say(EMPTY), talk]);
    const client = openClient(t);
    const request = { destination, method: 'GET', path: '/_matrix/x' } as const;
    // To connect takes its time, which is not what is tested.
    await client.request(request);
    const start = performance.now();
    const bounds = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
    await assert.rejects(client.request({ ...request, ...bounds }), { kind });
    assert.ok(performance.now() - start < 20 * TIMEOUT_MS);
    assert.deepEqual(await client.request(request), {});
  });
}

test('a second answer to one request belongs to no other', async (t) => {
  const one = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"n": 1 }';
  const destination = await listen(t, [say(`${one}${one.replace('1', '2')}`)]);
  const client = openClient(t);
  const request = { destination, method: 'GET', path: '/_matrix/x' } as const;
  assert.deepEqual(await client.request(request), { n: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  const next = await client.request(request).catch(() => ({}));
  assert.deepEqual(next, {});
});

test('a hostile /.well-known is none, and is not asked for again soon', async () => {
  const bodies = [
    'not json',
    '[]',
    'null',
    '{"m.server": 7}',
    '{"m.server": "no name/"}',
    `{"m.server": "${'a.'.repeat(2000)}b"}`,
    '{"m.server": "https://elsewhere.example"}',
    deep,
    `{"m.server": "elsewhere.example", "x": "${'x'.repeat(60_000)}"}`,
  ];
  for (const body of bodies) {
    let asked = 0;
    const get = async () => {
      asked += 1;
      return { status: 200, header: () => undefined, body: Readable.from([Buffer.from(body)]) };
    };
    const wellKnown = new WellKnown({ get, clock: systemClock, timers: systemClock });
    for (let n = 0; n < 3; n += 1)
      assert.equal(await wellKnown.delegateOf('there.example'), undefined, body.slice(0, 50));
    assert.equal(asked, 1);
  }
});
