import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { HERE, openClient, startServer } from '../testing.ts';

const HEAD = '--b\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain\r\n\r\n';
const REQUEST = { mediaId: 'a', timeoutMs: 5000, maxBytes: 1000 };

/** A download of a file whose beginning has come; `response` is where the rest would. */
async function begun(t: TestContext) {
  let response: ServerResponse | undefined;
  const gone = Promise.withResolvers<void>();
  const server = await startServer(t, (_seen, given) => {
    response = given;
    given.on('close', () => gone.resolve());
    given.writeHead(200, { 'content-type': 'multipart/mixed; boundary=b' });
    given.write(`${HEAD}${'x'.repeat(100)}`);
  });
  const timers = new ManualClock();
  const destination = `localhost:${server.port}` as ServerName;
  const file = await openClient(t, { timers }).download({ ...REQUEST, destination });
  assert.ok(response);
  return { file, response, timers, gone: gone.promise, seen: server.seen };
}

test('time is kept from piece to piece, and of the whole', async (t) => {
  for (const [steps, message] of [
    [0, /not done within 35000 ms/],
    [30, /not done within 605000 ms/],
  ] as const) {
    const { file, response, timers, gone } = await begun(t);
    const pieces = file.body[Symbol.asyncIterator]();
    await pieces.next();
    for (let n = 0; n < steps; n++) {
      timers.advance(20_000);
      response.write('y'.repeat(20));
      await pieces.next();
    }
    const rest = assert.rejects(pieces.next(), { kind: 'unreachable', message });
    timers.advance(30_000);
    await rest;
    await gone;
  }
});

test('whoever needs no more of it ends the connection, however silent it is', async (t) => {
  const { file, gone } = await begun(t);
  file.body.destroy();
  await gone;
});

test('thumbnails are asked for by their size', async (t) => {
  const server = await startServer(t, (_seen, response) => {
    response.writeHead(200, { 'content-type': 'multipart/mixed; boundary=b' });
    response.end(`${HEAD}small\r\n--b--`);
  });
  const destination = `localhost:${server.port}` as ServerName;
  const thumbnail = { width: 32, height: 24, method: 'crop', animated: false } as const;
  const client = openClient(t);
  const file = await client.download({ ...REQUEST, destination, thumbnail });
  assert.equal(String(await buffer(file.body)), 'small');
  assert.equal(
    server.seen[0]?.url,
    '/_matrix/federation/v1/media/thumbnail/a?width=32&height=24&method=crop&animated=false&timeout_ms=5000',
  );
  await assert.rejects(client.download({ ...REQUEST, destination: HERE }), { kind: 'denied' });
});
