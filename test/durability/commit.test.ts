// Nobody is told anything before COMMIT is durable, and nothing at all when it fails.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { register, type TestClient } from '../client.ts';
import { forEachEngine } from '../contracts/backends.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

interface RoomOfTwo {
  readonly alice: TestClient;
  readonly bob: TestClient;
  readonly roomId: string;
}

async function roomOfTwo(baseUrl: string): Promise<RoomOfTwo> {
  const alice = await register(baseUrl, 'alice');
  const bob = await register(baseUrl, 'bob');
  const roomId = await alice.createRoom({ preset: 'public_chat' });
  await bob.ok('POST', `/v3/join/${encodeURIComponent(roomId)}`, {});
  return { alice, bob, roomId };
}

forEachEngine('COMMIT', (postgresUrl) => {
  let server: InProcessServer;
  let alice: TestClient;
  let bob: TestClient;
  let roomId: string;
  /** What COMMIT waits for. */
  let gate: () => Promise<void> = async () => {};

  before(async () => {
    server = await startInProcess({ postgresUrl, beforeCommit: () => gate() });
    ({ alice, bob, roomId } = await roomOfTwo(server.baseUrl));
  });

  after(async () => {
    await server.close();
  });

  beforeEach(() => {
    gate = async () => {};
  });

  test('with COMMIT held back 300 ms, no answer and no /sync wake-up leaves before it', async () => {
    const { next_batch: since } = await bob.sync();
    const waiting = bob.sync({ since, timeout: '30000' });
    await server.untilWaiting(bob);
    let committed = false;
    gate = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      committed = true;
      gate = async () => {};
    };
    const told: [string, boolean][] = [];
    const sending = alice.send(roomId, 'held back').then(() => told.push(['answer', committed]));
    const woken = waiting.then((body) => {
      told.push(['wake-up', committed]);
      return body;
    });
    assert.equal((await bob.call('GET', '/v3/account/whoami')).status, 200); // others are not held up
    assert.equal(committed, false);
    await sending;
    assert.equal((await woken).rooms.join[roomId].timeline.events[0].content.body, 'held back');
    assert.deepEqual(
      told.sort(),
      [
        ['answer', true],
        ['wake-up', true],
      ].sort(),
    );
  });

  test('with COMMIT failing, neither leaves, nothing is there, and the server recovers', async () => {
    const { next_batch: since } = await bob.sync();
    let isWoken = false;
    const waiting = bob.sync({ since, timeout: '30000' }).then((body) => {
      isWoken = true;
      return body;
    });
    await server.untilWaiting(bob);
    gate = async () => {
      throw new Error('the disk is full');
    };
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/failing`;
    const refused = await alice.call('PUT', path, { msgtype: 'm.text', body: 'lost' });
    assert.equal(refused.status, 500);
    assert.equal(refused.body.errcode, 'M_UNKNOWN');
    assert.equal(isWoken, false);
    gate = async () => {};
    const { event_id: eventId } = await alice.ok('PUT', path, {
      msgtype: 'm.text',
      body: 'tried again',
    });
    const { events } = (await waiting).rooms.join[roomId].timeline;
    assert.deepEqual(
      events.map((event: { event_id: string }) => event.event_id),
      [eventId],
    );
    const { chunk } = await bob.ok(
      'GET',
      `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`,
    );
    assert.ok(!JSON.stringify(chunk).includes('lost'));
  });
});

describe('the sync after COMMIT', () => {
  let server: InProcessServer;
  let alice: TestClient;
  let bob: TestClient;
  let roomId: string;
  let sync: () => Promise<void> = async () => {};

  before(async () => {
    server = await startInProcess({ beforeSync: () => sync() });
    ({ alice, bob, roomId } = await roomOfTwo(server.baseUrl));
  });

  after(async () => {
    await server.close();
  });

  test('held back: no answer and no wake-up leaves, who reads finds nothing of it, and others are answered', async () => {
    const { next_batch: since } = await bob.sync();
    const waiting = bob.sync({ since, timeout: '30000' });
    await server.untilWaiting(bob);
    const reached = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    sync = () => {
      reached.resolve();
      return held.promise;
    };
    const told: string[] = [];
    const sending = alice.send(roomId, 'held back').then(() => told.push('answer'));
    const woken = waiting.then(() => told.push('wake-up'));
    await reached.promise;
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`;
    for (const client of [alice, bob]) {
      assert.ok(!JSON.stringify(await client.ok('GET', path)).includes('held back'));
    }
    assert.equal((await bob.sync({ since })).next_batch, since);
    assert.deepEqual(told, []);
    sync = async () => {};
    held.resolve();
    await Promise.all([sending, woken]);
    assert.ok(JSON.stringify(await bob.ok('GET', path)).includes('held back'));
  });

  // The last one: the server is of no use after it.
  test('failing: neither leaves, and nothing more is answered out of the database', async () => {
    const { next_batch: since } = await bob.sync();
    let isWoken = false;
    const waiting = bob.sync({ since, timeout: '30000' }).then(() => {
      isWoken = true;
    });
    waiting.catch(() => {});
    await server.untilWaiting(bob);
    sync = async () => {
      throw new Error('EIO');
    };
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/failing`;
    const refused = await alice.call('PUT', path, { msgtype: 'm.text', body: 'lost' });
    assert.equal(refused.status, 500);
    assert.equal(refused.body.errcode, 'M_UNKNOWN');
    assert.match((await server.keyhole.database.lost).message, /EIO/);
    sync = async () => {};
    assert.equal((await alice.call('PUT', path, { msgtype: 'm.text', body: 'lost' })).status, 500);
    const messages = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`;
    assert.equal((await bob.call('GET', messages)).status, 500);
    assert.equal(isWoken, false);
  });
});
