// `keyhole peeks` beside servers that run: what each holds of the other.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import type { Network } from './network.ts';
import { peekOk, roomPath, WORLD_READABLE } from './peeking-scene.ts';
import { type ProcessServer, startProcessNetwork } from './process-network.ts';

const bin = fileURLToPath(new URL('../../bin/keyhole', import.meta.url));

let network: Network<ProcessServer>;
let bob: TestClient;
let roomId: string;
before(async () => {
  network = await startProcessNetwork({ servers: 2, seed: 1 });
  const alice = await network.server(0).user('alice');
  bob = await network.server(1).user('bob');
  roomId = await alice.createRoom(WORLD_READABLE);
});
after(() => network.close());

/** Cells of each line, without the header. */
async function peeksOf(index: number): Promise<string[][]> {
  const config = join(network.server(index).folder, 'keyhole.yaml');
  const { stdout } = await promisify(execFile)(bin, ['peeks', '--config', config]);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  assert.deepEqual(header.trim().split(/\s+/), COLUMNS);
  return lines.map((line) => line.split(/\s+/));
}

const COLUMNS = ['room', 'server', 'since', 'renewed', 'until', 'devices'];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

test('lists looks in both directions, and nothing when they are over', async () => {
  assert.deepEqual([await peeksOf(0), await peeksOf(1)], [[], []]);
  const carol = await network.server(1).user('carol');
  const there = network.server(0).name;
  await peekOk(bob, roomId, there);
  await peekOk(carol, roomId, there);
  const [[direction, room, server, ...rest] = [], ...others] = await peeksOf(1);
  assert.deepEqual([direction, room, server, others], ['out', roomId, there, []]);
  assert.equal(rest.at(-1), '2');
  const [since = '', renewed = '', end = ''] = rest;
  for (const time of [since, renewed, end]) assert.match(time, TIME);
  assert.equal(Date.parse(end) - Date.parse(renewed), 3_600_000);
  assert.ok(Date.parse(since) <= Date.parse(renewed));
  const [inbound = [], ...more] = await peeksOf(0);
  assert.deepEqual(inbound.slice(0, 3), ['in', roomId, network.server(1).name]);
  assert.deepEqual([inbound.at(-1), more], ['-', []]);
  await bob.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?via=${there}`, {});
  await until(async () => (await peeksOf(0)).length === 0, 'the end there');
  assert.deepEqual(await peeksOf(1), []);
  assert.equal((await carol.call('POST', `${roomPath(roomId)}/unpeek`)).status, 200);
});

test('reads when the server has stopped, too', async () => {
  await network.server(0).stop();
  assert.deepEqual(await peeksOf(0), []);
  await network.server(0).start();
});
