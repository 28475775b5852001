// What becomes of history that is missing, by what the servers of the room say to it: brought, awaited, or lost.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FederationError } from '../../src/federation/federation-error.ts';
import { MatrixError } from '../../src/protocol/error.ts';
import type { ServerName } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase, text } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

const EVERYTHING = { minDepth: 0, maxDepth: Number.MAX_SAFE_INTEGER, limit: 100 };
const HOUR_MS = 3_600_000;

/** A room of `res.test` with a past, in which is one of each of the others too; she of `loc.test` came last. */
async function setUp(backend: Backend, ...others: string[]) {
  const street = new Neighbourhood();
  const res = await street.start(otherDatabase(), 'res.test');
  const loc = await street.start(backend, 'loc.test');
  const ruth = user('ruth', res);
  const roomId = await makeRoom(res, { creator: ruth });
  const past = { roomId, sender: ruth, type: 'm.room.message', content: text('long ago') };
  await res.api.performSendEvent(past);
  const join = (server: Neighbour) =>
    server.api.performJoin({
      roomIdOrAlias: roomId,
      userId: user('one', server),
      serverNames: [res.name],
      content: {},
    });
  for (const name of others) await join(await street.start(otherDatabase(), name));
  await join(loc);
  const backfill = () => loc.api.performBackfill({ roomId, ...EVERYTHING });
  const isOpen = async () => (await backfill()).gapAt !== undefined;
  /** How many requests that makes. */
  const asks = async (work: () => Promise<unknown>) => {
    const before = loc.asked.length;
    await work();
    return loc.asked.length - before;
  };
  return { street, loc, roomId, backfill, isOpen, asks };
}

function broken(server: ServerName): never {
  throw new FederationError('malformed', server, { message: 'no JSON' });
}

forEachBackend('history that others do not give', (backend) => {
  it('is awaited where nobody is there, asked for again soon, and brought', async () => {
    const { street, loc, backfill, asks } = await setUp(backend);
    street.faults.before = () => {
      throw new Error('not there');
    };
    const { gapAt, isNew } = await backfill();
    assert.deepEqual([typeof gapAt, isNew], ['number', false]);
    assert.equal(await asks(backfill), 0);
    loc.clock.advance(6_000);
    assert.ok((await asks(backfill)) > 0);
    street.faults.before = () => {};
    loc.clock.advance(60_000);
    const brought = await backfill();
    assert.deepEqual([brought.gapAt, brought.isNew], [gapAt, true]);
    assert.ok(brought.position > 0);
    const after = await backfill();
    assert.deepEqual(after, { position: brought.position, isNew: false });
    await street.close();
  });

  const unusable: Record<string, (server: ServerName) => JsonObject> = {
    'no JSON': broken,
    'an error of its own': (server) => {
      throw new FederationError('refused', server, { message: 'sorry', status: 502 });
    },
    'that it is asked too much': () => {
      throw new MatrixError('M_LIMIT_EXCEEDED', 'later');
    },
  };
  for (const [what, answer] of Object.entries(unusable)) {
    it(`is awaited where the answer is ${what}`, async () => {
      const { street, loc, isOpen, backfill } = await setUp(backend);
      street.faults.answer = (_method, server) => answer(server);
      assert.ok(await isOpen());
      loc.clock.advance(60_000);
      assert.ok(await isOpen());
      street.faults.answer = (_method, _server, given) => given;
      loc.clock.advance(60_000);
      assert.ok((await backfill()).isNew);
      await street.close();
    });
  }

  const refusing: Record<string, () => JsonObject> = {
    'that it is forbidden': () => {
      throw new MatrixError('M_FORBIDDEN', 'not for you');
    },
    'that there is nothing': () => ({ pdus: [] }),
    'something else': () => ({ pdus: [{ no: 'event' }, 7], more: null }),
    'of another shape': () => ({ pdus: 'none' }),
  };
  for (const [what, answer] of Object.entries(refusing)) {
    it(`is lost where the answer is ${what}, and asked for again later`, async () => {
      const { street, loc, isOpen, backfill, asks } = await setUp(backend);
      street.faults.answer = answer;
      assert.equal(await isOpen(), false);
      assert.equal(await asks(backfill), 0);
      loc.clock.advance(61_000);
      assert.equal(await asks(isOpen), 1);
      // Longer each time.
      loc.clock.advance(61_000);
      assert.equal(await asks(isOpen), 0);
      loc.clock.advance(61_000);
      street.faults.answer = (_method, _server, given) => given;
      assert.ok((await backfill()).isNew);
      await street.close();
    });
  }

  it('is awaited while one may have it whom nobody reaches, unless three have not', async () => {
    const { street, loc, isOpen } = await setUp(backend, 'a.test', 'b.test', 'c.test');
    street.faults.answer = () => ({ pdus: [] });
    let away = ['a.test', 'b.test'];
    street.faults.before = (_method, server) => {
      if (away.includes(server)) throw new Error('not there');
    };
    assert.ok(await isOpen());
    // Also while they are not even asked, since they were silent again and again.
    loc.clock.advance(6_000);
    assert.ok(await isOpen());
    away = ['a.test'];
    loc.clock.advance(60_000);
    assert.equal(await isOpen(), false);
    await street.close();
  });

  it('is lost where nobody was there for an hour', async () => {
    const { street, loc, isOpen } = await setUp(backend);
    street.faults.before = () => {
      throw new Error('not there');
    };
    for (let ms = 0; ms < HOUR_MS; ms += 120_000) {
      assert.ok(await isOpen());
      loc.clock.advance(120_000);
    }
    assert.equal(await isOpen(), false);
    await street.close();
  });

  it('is not taken for complete since another part of it is', async () => {
    const { street, loc, roomId, backfill } = await setUp(backend);
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    street.faults.before = async () => {
      asked.resolve();
      await released.promise;
    };
    const running = backfill();
    await asked.promise;
    const nothing = { roomId, minDepth: 0, maxDepth: 0, limit: 100 };
    const complete = loc.api.performBackfill(nothing);
    const same = backfill();
    released.resolve();
    assert.deepEqual(await same, await running);
    assert.ok((await running).isNew);
    const { gapAt, isNew } = await complete;
    assert.deepEqual([gapAt, isNew], [undefined, false]);
    await street.close();
  });
});
