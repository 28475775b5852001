// What only PostgreSQL can do to us: commits out of order, lost connections, lost answers, other processes.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { DatabaseError } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { sql } from '../../src/database/sql.ts';
import type { LogTicket } from '../../src/eventlog/eventlog.ts';
import { until } from '../until.ts';
import { type BackendOptions, createSchema, onPostgres, type Schema } from './backends.ts';
import { appendOne, type Harness, openHarness } from './log-harness.ts';
import { type LossyProxy, openLossyProxy } from './lossy-proxy.ts';

function isUnavailable(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === 'unavailable';
}

onPostgres('trouble', (serverUrl) => {
  let schema: Schema;
  let proxy: LossyProxy;
  let closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    schema = await createSchema(serverUrl);
    proxy = await openLossyProxy(schema.url);
  });
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
    await proxy.close();
    await schema.remove();
  });

  function open(options: BackendOptions = {}): Promise<Harness> {
    return openHarness(
      {
        open: async (backendOptions) => {
          const database = await openPostgres({ url: proxy.url, poolSize: 4, ...backendOptions });
          closing.push(() => database.close());
          return database;
        },
        closeFirst: (stop) => void closing.push(stop),
      },
      options,
    );
  }

  const values = async (harness: Harness) => (await harness.seen()).map((row) => row.value);

  test('positions follow commits when these are forced out of order, and none is lost', async () => {
    const held = new Map<number, PromiseWithResolvers<void>>();
    const order = [3, 0, 2, 1];
    let committing = 0;
    const allThere = Promise.withResolvers<void>();
    let holding = false;
    const harness = await open({
      beforeCommit: async () => {
        if (!holding || committing === order.length) return;
        const gate = Promise.withResolvers<void>();
        held.set(committing++, gate);
        if (committing === order.length) allThere.resolve();
        await gate.promise;
      },
    });
    const subscription = harness.consume();
    await harness.log.position(await harness.append('warm', 100));
    await harness.settled(subscription);
    holding = true;
    const units: Promise<LogTicket>[] = [];
    for (const value of [0, 1, 2, 3]) {
      units.push(harness.append(`k${value}`, value));
      await until(() => committing > value);
    }
    await allThere.promise;
    const positions: number[] = [];
    for (const value of order) {
      held.get(value)?.resolve();
      const [ticket] = await Promise.all(units.slice(value, value + 1));
      assert.ok(ticket);
      positions.push(await harness.log.position(ticket));
    }
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    );
    await harness.settled(subscription);
    assert.deepEqual(await values(harness), [100, ...order]);
  });

  test('nobody sees an entry before the effects of its unit, even if the server has committed it', async () => {
    const harness = await open();
    const told: string[] = [];
    const subscription = harness.consume({
      onBatch: (entries) => told.push(...entries.map(({ entry }) => `consumed ${entry.ts}`)),
    });
    await harness.log.position(await harness.append('k', 1));
    await harness.settled(subscription);
    const answer = proxy.holdNextCommit();
    const slow = harness.database.transact(async (tx) => {
      tx.afterCommit(() => told.push('effect of 2'));
      return appendOne(harness.log, tx, { key: 'a', value: 2 });
    });
    await answer.committed;
    await harness.log.position(await harness.append('b', 3));
    await harness.settled(subscription);
    answer.release();
    await harness.log.position(await slow);
    await harness.settled(subscription);
    assert.deepEqual(told, ['consumed 1', 'consumed 3', 'effect of 2', 'consumed 2']);
  });

  test('a commit whose answer is lost fails as unavailable; its entry is consumed all the same', async () => {
    const harness = await open();
    const subscription = harness.consume();
    await harness.log.position(await harness.append('k', 1));
    await harness.settled(subscription);
    proxy.loseNextCommit();
    await assert.rejects(harness.append('k', 2), isUnavailable);
    await harness.log.position(await harness.append('k', 3));
    await harness.settled(subscription);
    assert.deepEqual(await values(harness), [1, 2, 3]);
    assert.equal(proxy.lost(), 1);
    assert.deepEqual(harness.errors, []);
  });

  test("a consumer's commit whose answer is lost is not repeated, and has its effects", async () => {
    const harness = await open();
    let batches = 0;
    const effects: number[] = [];
    const subscription = harness.consume({
      onCommitted: (entries) => effects.push(...entries.map(({ entry }) => entry.ts)),
      onBatch: () => {
        if (batches++ === 0) proxy.loseNextCommit();
      },
    });
    await harness.log.position(await harness.append('k', 1));
    await harness.settled(subscription);
    assert.deepEqual(effects, [1]);
    await harness.log.position(await harness.append('k', 2));
    await harness.settled(subscription);
    assert.deepEqual([batches, await values(harness), effects], [2, [1, 2], [1, 2]]);
    assert.equal(proxy.lost(), 1);
    assert.deepEqual([harness.errors, await harness.log.parked()], [[], []]);
  });

  test("the relay's commit whose answer is lost gives no position twice", async () => {
    const harness = await open();
    const subscription = harness.consume();
    const ticket = await harness.database.transact(async (tx) => {
      tx.afterCommit(() => proxy.loseNextCommit());
      return appendOne(harness.log, tx, { key: 'k', value: 1 });
    });
    const first = await harness.log.position(ticket);
    const second = await harness.log.position(await harness.append('k', 2));
    assert.ok(second > first);
    await harness.settled(subscription);
    assert.deepEqual(await values(harness), [1, 2]);
    assert.equal(proxy.lost(), 1);
  });

  test('lost connections fail what runs on them, and the database recovers', async () => {
    const { database } = await open();
    const insert = (value: number) =>
      database.transact((tx) => tx.run(sql`INSERT INTO written (value) VALUES (${value})`));
    await insert(1);
    const unit = database.transact(async (tx) => {
      await tx.run(sql`INSERT INTO written (value) VALUES (2)`);
      await schema.terminate();
      await tx.run(sql`INSERT INTO written (value) VALUES (3)`);
    });
    await assert.rejects(unit, isUnavailable);
    await until(() =>
      insert(4).then(
        () => true,
        () => false,
      ),
    );
    const rows = await database.all(sql`SELECT value FROM written ORDER BY value`);
    assert.deepEqual(rows, [{ value: 1 }, { value: 4 }]);
  });

  test('a second process is refused until the first is gone', async () => {
    const { database } = await open();
    const second = () => openPostgres({ url: schema.url, lockWaitMs: 0 });
    await assert.rejects(second(), /in use by another Keyhole process/);
    await database.close();
    await (await second()).close();
  });

  test('a server that is not there is unavailable', async () => {
    await assert.rejects(openPostgres({ url: 'postgres://x@127.0.0.1:1/x' }), isUnavailable);
  });
});
