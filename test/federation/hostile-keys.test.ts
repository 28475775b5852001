// Requests in the name of servers that never tell their keys: others are let in meanwhile.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '../until.ts';
import { useSiege } from './hostile-scene.ts';
import { HostileServer } from './hostile-server.ts';

const siege = useSiege();

test('servers whose keys are waited for keep out none that come from elsewhere', async (t) => {
  const { ann, server } = siege();
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const path = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(ann.client.userId)}`;
  const flood = Array.from({ length: 300 }, (_, n) => {
    const fields = `origin="t${n}.localhost:${port}",key="ed25519:a",sig="${'A'.repeat(86)}"`;
    const headers = { authorization: `X-Matrix ${fields}` };
    const from = { localAddress: '127.0.0.2', agent: false, headers } as const;
    return request(`${ann.client.baseUrl}${path}`, from)
      .on('error', () => undefined)
      .end();
  });
  const newcomer = await HostileServer.start();
  t.after(async () => {
    for (const one of flood) one.destroy();
    for (const socket of sockets) socket.destroy();
    silent.close();
    await newcomer.close();
  });
  await until(() => sockets.size >= 10, 'keys are asked for');
  const start = performance.now();
  const { status, body } = await newcomer.request(server.name, 'GET', path);
  assert.equal(status, 200, JSON.stringify(body));
  assert.ok(performance.now() - start < 5_000, 'the newcomer had to wait');
});
