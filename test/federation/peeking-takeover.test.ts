// What becomes of a look when the server through which it goes dies, refuses or forgets: somebody else takes over, and what
// was said meanwhile is there. Numbers are those of the acceptance tests.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { TestClient } from '../client.ts';
import { HostileServer } from './hostile-server.ts';
import { Looker } from './looker.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { peek, roomPath, WORLD_READABLE } from './peeking-scene.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('the server through which is looked', () => {
  let network: Network<ComposedServer>;
  /** Of the first server, of the second, and the looker's on the third. */
  let alice: TestClient;
  let carol: TestClient;
  let bob: TestClient;
  let roomId: string;

  beforeEach(async () => {
    network = await startNetwork({ servers: 3, roomVersion: '11', clock: 'manual' });
    alice = await network.server(0).user('alice');
    carol = await network.server(1).user('carol');
    bob = await network.server(2).user('bob');
    roomId = await alice.createRoom(WORLD_READABLE);
  });
  afterEach(() => network.close());

  const name = (index: number) => network.server(index).name;

  /** Carol is in the room too. */
  async function withCarol(): Promise<void> {
    const query = `server_name=${encodeURIComponent(name(0))}`;
    await carol.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?${query}`, {});
    await network.pump(async () => {
      const members = await alice.ok('GET', `${roomPath(roomId)}/joined_members`);
      return members.joined[carol.userId] !== undefined;
    }, 'the second server in the room');
  }

  const looking = () => Looker.at(network, bob, [roomId, name(0)]);

  /** `METHOD peekId`, of all that the looker's server has asked. */
  function asked(of: number): string[] {
    return network
      .link(2, of)
      .exchanges.filter(({ path }) => path.startsWith('/_matrix/federation/v1/peek/'))
      .map(({ method, path }) => `${method} ${path.split('?')[0]?.split('/').slice(6).join('/')}`);
  }

  /** From when the looker's server could first know. */
  function report(t: TestContext, from: number): void {
    t.diagnostic(`recovered after ${(network.now() - from) / 1000} s`);
  }

  test('34. dies: another takes over without a gap', async (t) => {
    await withCarol();
    const looker = await looking();
    await alice.send(roomId, 'before');
    await looker.sees('before');
    const diedAt = network.now();
    await network.server(0).kill();
    for (let n = 0; n < 30; n += 1) await carol.send(roomId, `meanwhile ${n}`);
    await looker.sees('meanwhile 29');
    report(t, diedAt);
    assert.ok(network.now() - diedAt < 5 * MINUTE);
    await carol.send(roomId, 'live again');
    await looker.sees('live again');
    const expected = [...Array(30).keys()].map((n) => `meanwhile ${n}`);
    assert.deepEqual(looker.bodies, ['before', ...expected, 'live again']);
    assert.equal(looker.limited, 0);
    assert.deepEqual(looker.sections, ['peek']);
  });

  test('dies, and more is said than is asked for: the timeline is limited, history is whole', async () => {
    await withCarol();
    const looker = await looking();
    await network.server(0).kill();
    for (let n = 0; n < 250; n += 1) await carol.send(roomId, `meanwhile ${n}`);
    await looker.sees('meanwhile 249');
    assert.ok(looker.limited > 0);
    await carol.send(roomId, 'live again');
    await looker.sees('live again');
    assert.equal(new Set(looker.bodies).size, looker.bodies.length);
    await network.pump(async () => {
      const all = await looker.history();
      return all.length >= 250;
    }, 'all of the history');
  });

  test('dies and comes back: it is told that it is not looked through any more, and sends nothing', async () => {
    await withCarol();
    const looker = await looking();
    const [first] = asked(0);
    await network.server(0).stop();
    await carol.send(roomId, 'through the second');
    await looker.sees('through the second');
    await network.server(0).start();
    await network.pump(() => asked(0).includes(first?.replace('PUT', 'DELETE') ?? ''), 'the end');
    await carol.send(roomId, 'once');
    await looker.sees('once');
    assert.deepEqual(looker.bodies, ['through the second', 'once']);
  });

  test('is the only one, and down for an hour: the look goes on when it is back', async (t) => {
    const looker = await looking();
    await network.server(0).stop();
    for (let passed = 0; passed < HOUR; passed += MINUTE) {
      await network.pass(MINUTE);
      await looker.poll();
      // So that what has fallen due gets its turn.
      await network.pump(() => network.links.underWay === 0, 'quiet');
      if (passed % (30 * MINUTE) === 0) await renew(bob);
    }
    await network.server(0).start();
    const backAt = network.now();
    const again = alice;
    for (let n = 0; n < 10; n += 1) await again.send(roomId, `back ${n}`);
    await looker.sees('back 9');
    report(t, backAt);
    assert.ok(network.now() - backAt <= 6 * MINUTE);
    await again.send(roomId, 'live again');
    await looker.sees('live again');
    const expected = [...Array(10).keys()].map((n) => `back ${n}`);
    assert.deepEqual(looker.bodies, [...expected, 'live again']);
    assert.equal(looker.limited, 0);
  });

  const renew = (client: TestClient) =>
    client.ok('POST', `/v3/peek/${encodeURIComponent(roomId)}`, {});

  test('has forgotten the look: it begins anew, under another id', async (t) => {
    const looker = await looking();
    const { database } = network.server(0).keyhole;
    await database.transact((tx) => tx.run(sql`DELETE FROM federationsender_inbound_peeks`));
    await alice.send(roomId, 'not relayed');
    const from = network.now();
    await looker.sees('not relayed');
    report(t, from);
    const [put, renewal, again] = asked(0);
    assert.equal(renewal, `${put?.replace('PUT', 'POST')}/renew`);
    assert.match(again ?? '', /^PUT /);
    assert.notEqual(again, put);
    assert.equal(looker.limited, 0);
  });

  test('31. ends the look because it was not renewed: it says so, and the look begins anew', async (t) => {
    const looker = await looking();
    const [put] = asked(0);
    // Nothing of the looker's server arrives until long after.
    network.link(2, 0).isCut = true;
    network.link(0, 2).isCut = true;
    await network.pass(61 * MINUTE);
    await network.pump(async () => (await inboundPeeks(0)) === 0, 'its end');
    await alice.send(roomId, 'not relayed');
    network.link(2, 0).isCut = false;
    network.link(0, 2).isCut = false;
    const from = network.now();
    // She may share an attempt of before, which fails.
    const begins = async () => (await peek(bob, roomId, [])).status === 200;
    await network.pump(begins, 'the look anew');
    await looker.sees('not relayed');
    report(t, from);
    const sent = network.link(0, 2).exchanges.filter(({ body }) => body.includes('expired_peeks'));
    assert.ok(sent.some(({ body }) => body.includes(put?.split(' ')[1] ?? '')));
    await alice.send(roomId, 'relayed');
    await looker.sees('relayed');
    assert.deepEqual(looker.bodies, ['not relayed', 'relayed']);
  });

  test('closes the room while nothing is heard of it: the look ends, and nothing of after is shown', async () => {
    await withCarol();
    const looker = await looking();
    network.partition([[0, 1], [2]]);
    for (let passed = 0; passed < 62; passed += 2) {
      await network.pass(2 * MINUTE);
      await looker.poll();
      if (passed === 30) await renew(bob);
    }
    await network.pump(async () => (await inboundPeeks(0)) === 0, 'its end');
    const state = `${roomPath(roomId)}/state/m.room.history_visibility`;
    await alice.ok('PUT', state, { history_visibility: 'shared' });
    await alice.send(roomId, 'secret');
    await looker.poll();
    assert.deepEqual(looker.sections, ['peek']);
    network.heal();
    await looker.until(() => looker.sections.at(-1) === 'leave', 'the end of the look');
    assert.ok(!looker.bodies.includes('secret'));
    const read = () => bob.call('GET', `${roomPath(roomId)}/messages?dir=b`);
    await network.pump(async () => (await read()).body.errcode === 'M_FORBIDDEN', 'its end');
    const again = await peek(bob, roomId, [name(0)]);
    assert.deepEqual([again.status, again.body.errcode], [403, 'M_FORBIDDEN']);
  });

  async function inboundPeeks(index: number): Promise<number> {
    const { database } = network.server(index).keyhole;
    const found = await database.get<{ count: number }>(
      sql`SELECT count(*) AS count FROM federationsender_inbound_peeks`,
    );
    return found?.count ?? 0;
  }

  test('loses its last member: the leave is seen, and another takes over', async (t) => {
    await withCarol();
    const looker = await looking();
    await alice.ok('POST', `${roomPath(roomId)}/leave`, {});
    const from = network.now();
    await carol.send(roomId, 'without her');
    await looker.sees('without her');
    report(t, from);
    assert.ok(looker.events.some(({ state_key: key }) => key === alice.userId));
    assert.equal(await inboundPeeks(0), 0);
    assert.equal(await inboundPeeks(1), 1);
    assert.equal(looker.limited, 0);
  });

  test('is kept whatever others say of its looks', async () => {
    const looker = await looking();
    const [put] = asked(0);
    const hostile = await HostileServer.start({ now: () => network.now() });
    try {
      const peekId = decodeURIComponent(put?.split(' ')[1] ?? '');
      const body = {
        origin: hostile.name,
        origin_server_ts: network.now(),
        pdus: [],
        expired_peeks: [{ room_id: roomId, peek_id: peekId }],
      };
      const path = '/_matrix/federation/v1/send/e1';
      const answer = await hostile.request(name(2), 'PUT', path, body as never);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
    } finally {
      await hostile.close();
    }
    await alice.send(roomId, 'still here');
    await looker.sees('still here');
    assert.deepEqual(asked(0), [put]);
  });
});
