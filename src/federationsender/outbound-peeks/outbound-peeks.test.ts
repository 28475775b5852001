// Our looks into rooms of other servers: begun, renewed, lost and ended, across restarts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { sql } from '../../database/sql.ts';
import type { OutboundPeekLost } from '../../eventlog/entries.ts';
import { FederationError } from '../../federation/federation-error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { type Harness, openHarness, ROOM } from '../testing.ts';

const THERE = 'there.example' as ServerName;
const OTHER = 'other.example' as ServerName;
const HOUR = 3_600_000;
const ANSWER = { latest_event_state_ids: {}, renewal_interval: HOUR };

type Peek = { server: ServerName; peekId: string };

async function open(backend: Backend): Promise<Harness> {
  const harness = await openHarness(backend);
  answers(harness, ANSWER);
  return harness;
}

function answers({ network }: Harness, body: JsonObject): void {
  for (const server of [THERE, OTHER]) network.answers.set(server, () => body);
}

function begin({ sender }: Harness, servers = [THERE]): Promise<Peek & { answer: JsonObject }> {
  return sender.api.performOutboundPeek({ roomId: ROOM, servers, roomVersions: ['11', '12'] });
}

/** As the roomserver does when it has stored what came with it. */
async function activate(harness: Harness, { server, peekId }: Peek): Promise<void> {
  await harness.room({ kind: 'NewOutboundPeek', server, peekId, renewalInterval: HOUR });
  await harness.settled();
}

/** Signs of life are another matter. */
function requested({ network }: Harness) {
  return network.requests.filter(({ path }) => !path.endsWith('/version'));
}

/** `METHOD last part of the path`, without what was asked before. */
function requests(harness: Harness): string[] {
  const found = requested(harness);
  harness.network.requests.length = 0;
  return found.map(({ method, path }) => `${method} ${path.split('/').slice(6).join('/')}`);
}

async function losses(harness: Harness, count: number): Promise<OutboundPeekLost[]> {
  const found: OutboundPeekLost[] = [];
  const subscription = harness.eventLog.consume({
    name: 'test',
    topic: 'federationsender.output',
    database: harness.database,
    apply: async (_tx, entries) => {
      for (const { entry } of entries) found.push(entry);
    },
  });
  try {
    await until(() => found.length >= count, `${count} lost peeks`);
  } finally {
    await subscription.close();
  }
  return found;
}

function endings({ database }: Harness): Promise<{ failures: number }[]> {
  return database.all(
    sql`SELECT failures FROM federationsender_outbound_peeks WHERE status = 'ended'`,
  );
}

forEachBackend('looks into rooms of other servers', (backend) => {
  test('ask one server after the other, under ids of their own', async () => {
    const harness = await open(backend);
    harness.network.refuses(THERE, 403, { errcode: 'M_FORBIDDEN' });
    const peek = await begin(harness, [THERE, OTHER]);
    assert.equal(peek.server, OTHER);
    assert.match(peek.peekId, /^[0-9a-zA-Z.=_-]{1,8}$/);
    const [first, second] = harness.network.requests;
    assert.notEqual(first?.path, second?.path);
    assert.deepEqual(second?.query, { ver: ['11', '12'] });
    await assert.rejects(begin(harness, [THERE]), { errcode: 'M_FORBIDDEN' });
    harness.network.down(THERE);
    await assert.rejects(begin(harness, [THERE]), { errcode: 'M_UNKNOWN' });
    await assert.rejects(begin(harness, []), { errcode: 'M_NOT_FOUND' });
  });

  test('are renewed at half of the interval, and lost when the server says that there is none', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    requests(harness);
    await harness.later(HOUR / 2 - 1);
    assert.deepEqual(requests(harness), []);
    harness.clock.advance(1);
    await until(() => requested(harness).length === 1);
    assert.deepEqual(requests(harness), [`POST ${peek.peekId}/renew`]);
    harness.network.refuses(THERE, 404, { errcode: 'M_NOT_FOUND' });
    await until(() => {
      harness.clock.advance(60_000);
      return requested(harness).length > 0;
    });
    assert.deepEqual(await losses(harness, 1), [
      { v: 1, server: THERE, peekId: peek.peekId, reason: 'ended' },
    ]);
  });

  test('through a server that has fallen silent are lost long before they are to be renewed', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    harness.network.down(THERE);
    requests(harness);
    const from = harness.clock.now();
    await until(async () => {
      await harness.later(1_000);
      return (await harness.eventLog.head('federationsender.output')) > 0;
    }, 'the peek is lost');
    const took = harness.clock.now() - from;
    assert.ok(took >= 90_000 && took < 300_000, `${took} ms`);
    const [lost] = await losses(harness, 1);
    assert.equal(lost?.reason, 'unreachable');
    // It may go on sending when it is back.
    answers(harness, {});
    requests(harness);
    await until(() => {
      harness.clock.advance(15_000);
      return requested(harness).length > 0;
    });
    assert.deepEqual(requests(harness), [`DELETE ${peek.peekId}`]);
  });

  test('through a server that says something now and then are not asked for', async () => {
    const harness = await open(backend);
    await activate(harness, await begin(harness));
    await harness.later(60_000);
    await until(() => harness.network.requests.some(({ path }) => path.endsWith('/version')));
    harness.network.requests.length = 0;
    harness.network.down(THERE);
    for (let passed = 0; passed < 600_000; passed += 30_000) {
      await harness.sender.api.noteServerAlive({ server: THERE });
      await harness.later(30_000);
    }
    assert.deepEqual(harness.network.requests, []);
  });

  test('are renewed again when that fails while the server is there, and lost in the end', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    harness.network.answers.set(THERE, ({ path }) =>
      path.endsWith('/version') ? {} : harness.network.refuse(THERE, 429, { retryAfterMs: 1 }),
    );
    requests(harness);
    let isLost = false;
    const lost = losses(harness, 1).then((found) => {
      isLost = true;
      return found;
    });
    await until(() => {
      harness.clock.advance(5_000);
      return isLost;
    }, 'the peek is lost');
    assert.equal((await lost)[0]?.reason, 'unreachable');
    const tries = requests(harness).filter((one) => one.startsWith('POST')).length;
    assert.ok(tries >= 1 && tries <= 4, `${tries} tries`);
  });

  test('end by a DELETE that is repeated until it arrives, across restarts', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    harness.network.down(THERE);
    requests(harness);
    const { server, peekId } = peek;
    await harness.room({ kind: 'RetireOutboundPeek', server, peekId });
    await until(() => {
      harness.clock.advance(0);
      return requested(harness).length === 1;
    });
    const restarted = await harness.restart();
    answers(restarted, {});
    await until(() => {
      restarted.clock.advance(15_000);
      return requested(restarted).length >= 2;
    });
    assert.deepEqual(new Set(requests(restarted)), new Set([`DELETE ${peekId}`]));
    await restarted.later(HOUR);
    assert.deepEqual(requests(restarted), []);
  });

  test('that nobody has stored when the process ends are given up', async () => {
    const harness = await open(backend);
    const { peekId } = await begin(harness);
    requests(harness);
    const restarted = await harness.restart();
    await until(() => {
      restarted.clock.advance(0);
      return requested(restarted).length === 1;
    });
    assert.deepEqual(requests(restarted), [`DELETE ${peekId}`]);
  });

  test('that do not answer in time are told of the end; those that refuse are not', async () => {
    const harness = await open(backend);
    harness.network.answers.set(THERE, ({ method, destination }) => {
      if (method === 'DELETE') return {};
      throw new FederationError('unreachable', destination, { message: 'too slow' });
    });
    await assert.rejects(begin(harness));
    await until(() => {
      harness.clock.advance(0);
      return requested(harness).length === 2;
    });
    const [put, deleted] = harness.network.requests;
    assert.equal(deleted?.method, 'DELETE');
    assert.equal(deleted?.path, put?.path);
    harness.network.refuses(THERE, 404);
    requests(harness);
    await assert.rejects(begin(harness));
    await harness.later(60_000);
    assert.equal(requests(harness).length, 1);
  });

  test('end when the server through which they look says so, and by no other word', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    const expired = [{ roomId: ROOM, peekId: peek.peekId }];
    await harness.sender.api.noteExpiredPeeks({ server: OTHER, peeks: expired });
    await harness.sender.api.noteExpiredPeeks({
      server: THERE,
      peeks: [{ roomId: ROOM, peekId: 'x' }],
    });
    requests(harness);
    harness.clock.advance(HOUR / 2);
    await until(() => requested(harness).length === 1);
    await harness.sender.api.noteExpiredPeeks({ server: THERE, peeks: expired });
    assert.equal((await losses(harness, 1)).length, 1);
  });

  test('of a server that takes repeated ids for a reason to crash are begun anew instead', async () => {
    const harness = await open(backend);
    answers(harness, { state: [], auth_chain: [], latest_event: {}, renewal_interval: HOUR });
    const peek = await begin(harness);
    await activate(harness, peek);
    requests(harness);
    harness.clock.advance(HOUR / 2);
    assert.equal((await losses(harness, 1))[0]?.reason, 'ended');
    assert.deepEqual(requests(harness), []);
  });

  test('of a server that knows no /renew are renewed by the same request again', async () => {
    const harness = await open(backend);
    answers(harness, { state: [], auth_chain: [], messages: [], renewal_interval: HOUR });
    const peek = await begin(harness);
    await activate(harness, peek);
    requests(harness);
    harness.clock.advance(HOUR / 2);
    await until(() => requested(harness).length === 1);
    assert.deepEqual(requests(harness), [`PUT ${peek.peekId}`]);
  });

  test('of a server that does not answer hold up no other, and of it one is asked for at a time', async () => {
    const harness = await open(backend);
    const peek = await begin(harness);
    await activate(harness, peek);
    const rooms = Array.from({ length: 20 }, (_, n) => `!${n}:${OTHER}` as RoomId);
    const { performOutboundPeek, performCancelOutboundPeek } = harness.sender.api;
    for (const roomId of rooms) {
      const look = { roomId, servers: [OTHER], roomVersions: ['11'] as const };
      const { server, peekId } = await performOutboundPeek(look);
      await performCancelOutboundPeek({ roomId, server, peekId });
    }
    const { promise: silence, reject } = Promise.withResolvers<JsonObject>();
    harness.network.answers.set(OTHER, () => silence);
    requests(harness);
    const deletes = () => requested(harness).filter(({ method }) => method === 'DELETE');
    await until(() => {
      harness.clock.advance(0);
      return deletes().length > 0;
    });
    harness.clock.advance(HOUR / 2);
    await until(() => {
      harness.clock.advance(0);
      return requested(harness).some(({ path }) => path.endsWith('/renew'));
    });
    assert.equal(deletes().length, 1);
    harness.network.down(OTHER);
    reject(new FederationError('unreachable', OTHER, { message: 'too slow' }));
    await harness.settled();
    await until(async () => (await endings(harness)).every(({ failures }) => failures === 1));
    assert.equal((await endings(harness)).length, rooms.length);
    // None is told for ever.
    await until(async () => {
      await harness.later(60_000);
      return (await endings(harness)).length === 0;
    });
    assert.ok(deletes().length <= 10, `${deletes().length} requests for ${rooms.length} ends`);
  });
});
