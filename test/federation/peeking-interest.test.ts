// Whether anybody still looks, and what becomes of the subscription at the other server: it lasts as long as somebody does.
// Numbers are those of the acceptance tests.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import { loginAgain, type TestClient } from '../client.ts';
import { Looker } from './looker.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { peek, peekOk, roomPath, WORLD_READABLE } from './peeking-scene.ts';

const MINUTE = 60_000;
const GRACE = 15 * MINUTE;

async function subscriptions(network: Network<ComposedServer>): Promise<number> {
  const { database } = network.server(0).keyhole;
  const found = await database.get<{ count: number }>(
    sql`SELECT count(*) AS count FROM federationsender_inbound_peeks`,
  );
  return found?.count ?? 0;
}

describe('a subscription', () => {
  let network: Network<ComposedServer>;
  let alice: TestClient;
  let bob: TestClient;
  let roomId: string;
  const there = () => network.server(0).name;

  beforeEach(async () => {
    network = await startNetwork({ servers: 2, roomVersion: '11', clock: 'manual' });
    alice = await network.server(0).user('alice');
    bob = await network.server(1).user('bob');
    roomId = await alice.createRoom(WORLD_READABLE);
  });
  afterEach(() => network.close());

  const looking = (client = bob) => Looker.at(network, client, [roomId, there()]);
  const is = (count: number) =>
    network.pump(async () => (await subscriptions(network)) === count, `${count} subscriptions`);
  const withPassword = (client: TestClient) => ({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: client.userId },
    password: 'secret of bob',
  });

  const ends: readonly (readonly [string, (looker: Looker) => Promise<unknown>])[] = [
    ['unpeek', () => bob.ok('POST', `${roomPath(roomId)}/unpeek`)],
    ['logout', () => bob.ok('POST', '/v3/logout', {})],
    ['logout of all devices', () => bob.ok('POST', '/v3/logout/all', {})],
    [
      'deletion of the device',
      async () => {
        const other = await loginAgain(bob);
        const path = `/v3/devices/${bob.deviceId}`;
        await other.ok('DELETE', path, { auth: withPassword(bob) });
      },
    ],
    [
      'deactivation',
      () => bob.ok('POST', '/v3/account/deactivate', { auth: withPassword(bob), erase: false }),
    ],
    ['join', () => bob.ok('POST', `/v3/join/${encodeURIComponent(roomId)}`, {})],
    ['silence of the device', () => network.pass(GRACE + MINUTE)],
    ['purge', () => purge(1)],
  ];
  for (const [what, end] of ends) {
    test(`21. ends with the last who looks: ${what}`, async () => {
      const looker = await looking();
      await is(1);
      // What has to be asked of the other server once more waits for the clock.
      await network.inTime(end(looker));
      await is(0);
      assert.deepEqual(await rowsLeft(), { peeks: 0, interest: 0 });
    });
  }

  async function purge(server: number): Promise<void> {
    const { api } = network.server(server).keyhole.components.roomserver;
    await api.performPurge({ roomId: roomId as never });
  }

  /** In the looker's roomserver. */
  async function rowsLeft() {
    const { database } = network.server(1).keyhole;
    const { length: peeks } = await database.all(sql`SELECT 1 FROM roomserver_outbound_peeks`);
    const { length: interest } = await database.all(sql`SELECT 1 FROM roomserver_peek_interest`);
    return { peeks, interest };
  }

  test('ends with the expiry of the last peek, though the device goes on syncing', async () => {
    const looker = await looking();
    for (let passed = 0; passed < 61 * MINUTE; passed += 5 * MINUTE) {
      await network.pass(5 * MINUTE);
      await looker.poll();
    }
    await is(0);
    assert.deepEqual(looker.sections, ['peek', 'leave']);
  });

  test('36. outlives all but the last who looks', async () => {
    const carol = await network.server(1).user('carol');
    const other = await loginAgain(bob);
    for (const client of [bob, other, carol]) await peekOk(client, roomId, there());
    const last = await looking(carol);
    await bob.ok('POST', `${roomPath(roomId)}/unpeek`);
    await other.ok('POST', '/v3/logout', {});
    await alice.send(roomId, 'for one');
    await last.sees('for one');
    await is(1);
    const puts = network
      .link(1, 0)
      .exchanges.filter(({ method, path }) => method === 'PUT' && path.includes('/peek/'));
    assert.equal(puts.length, 1);
    await carol.ok('POST', `${roomPath(roomId)}/unpeek`);
    await is(0);
  });

  test('begins anew when a silent device is back, with what it has missed', async () => {
    const looker = await looking();
    await alice.send(roomId, 'seen');
    await looker.sees('seen');
    await network.pass(GRACE + MINUTE);
    await is(0);
    for (let n = 0; n < 5; n += 1) await alice.send(roomId, `missed ${n}`);
    await looker.sees('missed 4');
    await alice.send(roomId, 'live');
    await looker.sees('live');
    const missed = [...Array(5).keys()].map((n) => `missed ${n}`);
    assert.deepEqual(looker.bodies, ['seen', ...missed, 'live']);
    assert.equal(looker.limited, 0);
  });

  test('ends and begins again with the last who looks and the next', async () => {
    await looking();
    await bob.ok('POST', `${roomPath(roomId)}/unpeek`);
    await is(0);
    const looker = await looking();
    await is(1);
    await alice.send(roomId, 'seen');
    await looker.sees('seen');
  });

  test('whose answer did not come in time is ended', async () => {
    network.link(1, 0).next('/peek/', 'dropAnswer');
    assert.equal((await peek(bob, roomId, [there()])).status, 502);
    const { exchanges } = network.link(1, 0);
    await network.pump(
      () => exchanges.some(({ method, status }) => method === 'DELETE' && status === 200),
      'the end of it',
    );
    assert.equal(await subscriptions(network), 0);
  });

  test('of others ends when the room is deleted where it is', async () => {
    const looker = await looking();
    await purge(0);
    await is(0);
    await looker.poll();
    const { status } = await peek(bob, roomId, [there()]);
    // What it knows is shown on to who looks already.
    assert.equal(status, 200);
  });
});

describe('limits', () => {
  let network: Network<ComposedServer>;
  before(async () => {
    const peeking = { max_inbound_per_server: 2, max_per_user: 3 };
    network = await startNetwork({ servers: 2, roomVersion: '11', config: { peeking } });
  });
  after(() => network.close());

  test('37. what is too much for the other server is told with the time to wait', async () => {
    const alice = await network.server(0).user('alice');
    const bob = await network.server(1).user('bob');
    const there = network.server(0).name;
    const rooms = await Promise.all(
      Array.from({ length: 4 }, () => alice.createRoom(WORLD_READABLE)),
    );
    const [first = '', second = '', third = ''] = rooms;
    await peekOk(bob, first, there);
    await peekOk(bob, second, there);
    const refused = await peek(bob, third, [there]);
    assert.deepEqual([refused.status, refused.body.errcode], [429, 'M_LIMIT_EXCEEDED']);
    assert.ok(refused.body.retry_after_ms > 0);
    // What there is may be renewed.
    await peekOk(bob, first, there);
  });
});
