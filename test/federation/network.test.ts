// The network itself: servers of their own names, over TLS, through links with faults.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask } from './asking.ts';
import { type Network, startNetwork } from './network.ts';

let network: Network;
before(async () => {
  network = await startNetwork({ servers: 2 });
});
after(() => network?.close());

const version = '/_matrix/federation/v1/version';
const askVersion = (index: number) =>
  ask({ destination: network.server(index).name, method: 'GET', path: version });

test('servers answer under their names, with keys of their own', async () => {
  const keys = new Set<string>();
  for (const { name } of network.servers) {
    const { status, body } = await ask({
      destination: name,
      method: 'GET',
      path: '/_matrix/key/v2/server',
    });
    assert.equal(status, 200);
    assert.equal(body.server_name, name);
    keys.add(JSON.stringify(body.verify_keys));
  }
  assert.equal(keys.size, 2);
});

test('faults strike once where they are asked for, and requests are kept', async () => {
  const link = network.link('unsigned', 0);
  for (const fault of ['dropRequest', 'dropAnswer'] as const) {
    link.next(version, fault);
    await assert.rejects(askVersion(0));
  }
  link.next(/version$/, 'error');
  assert.equal((await askVersion(0)).status, 503);
  link.next(version, 'garbage');
  assert.equal(typeof (await askVersion(0)).body, 'string');
  link.next(version, 'twice');
  assert.equal((await askVersion(0)).body.server.name, 'Keyhole');
  const seen = link.exchanges.filter(({ path }) => path === version);
  assert.deepEqual(
    seen.map(({ fault, status }) => [fault, status]),
    [
      ['dropRequest', undefined],
      ['dropAnswer', 200],
      ['error', undefined],
      ['garbage', 200],
      ['twice', 200],
    ],
  );
});

test('requests are held up, and overtaken', async () => {
  const held = network.link('unsigned', 0).hold(version);
  let isOver = false;
  const late = askVersion(0).then((answer) => {
    isOver = true;
    return answer;
  });
  await held.arrived;
  assert.equal((await askVersion(1)).status, 200);
  assert.equal(isOver, false);
  held.release();
  assert.equal((await late).status, 200);
});

test('a server is stopped, killed and started again; its users go on', async () => {
  const server = network.server(0);
  const user = await server.user('early');
  const room = await user.createRoom();
  for (const end of [() => server.stop(), () => server.kill()]) {
    await end();
    await assert.rejects(askVersion(0));
    await server.start();
    assert.equal((await askVersion(0)).status, 200);
    assert.deepEqual((await user.ok('GET', '/v3/joined_rooms')).joined_rooms, [room]);
  }
});

test('nothing that comes after a kill is stored', async () => {
  const server = network.server(0);
  const user = await server.user('killed');
  const room = await user.createRoom();
  const sent = [...Array(20).keys()].map((n) => user.send(room, `line ${n}`).catch(() => 'failed'));
  await sent[0];
  await server.kill();
  const acknowledged = (await Promise.all(sent)).filter((id) => id !== 'failed');
  await server.start();
  const { chunk } = await user.ok(
    'GET',
    `/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=100`,
  );
  const stored = new Set(chunk.map(({ event_id }: { event_id: string }) => event_id));
  assert.ok(acknowledged.length > 0);
  assert.ok(acknowledged.every((id) => stored.has(id)));
});

test('a partition parts whom it says, until it is healed', async () => {
  const [one, other] = [network.server(0).name, network.server(1).name];
  const headers = { authorization: `X-Matrix origin="${one}",destination="${other}"` };
  const askAs = () => ask({ destination: other, method: 'GET', path: version, headers });
  network.partition([[0], [1]]);
  await assert.rejects(askAs());
  assert.equal((await askVersion(1)).status, 200);
  network.heal();
  assert.equal((await askAs()).status, 200);
});

test("without links, a server's own TLS listener is reached under its name, also after a restart", async (t) => {
  const direct = await startNetwork({ servers: 1, direct: true });
  t.after(() => direct.close());
  const { name: destination } = direct.server(0);
  const askDirectly = () => ask({ destination, method: 'GET', path: version });
  assert.equal((await askDirectly()).status, 200);
  await direct.server(0).stop();
  await assert.rejects(askDirectly());
  await direct.server(0).start();
  assert.equal((await askDirectly()).status, 200);
});

test('where a server is to be found is told at its name, if it has been told itself', async (t) => {
  const path = '/.well-known/matrix/server';
  const destination = network.server(0).name;
  const unknown = await ask({ destination, method: 'GET', path });
  assert.equal(unknown.status, 404);
  assert.equal(unknown.body.errcode, 'M_NOT_FOUND');
  const config = { federation_address: 'matrix.test.example:443' };
  const other = await startNetwork({ servers: 1, config });
  t.after(() => other.close());
  const { body } = await ask({ destination: other.server(0).name, method: 'GET', path });
  assert.deepEqual(body, { 'm.server': 'matrix.test.example:443' });
});
