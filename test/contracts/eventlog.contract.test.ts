// What every event log must do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../src/clock.ts';
import { sql } from '../../src/database/sql.ts';
import type { UserId } from '../../src/protocol/identifiers.ts';
import { until } from '../until.ts';
import { forEachBackend } from './backends.ts';
import {
  appendOne,
  type Harness,
  openHarness,
  type ReceiptEntry,
  receipt,
  TOPIC,
} from './log-harness.ts';

forEachBackend('event log: order', (backend) => {
  test('entries come in the order of their commits, with what was appended', async () => {
    const { append, consume, log, seen, settled } = await openHarness(backend);
    const subscription = consume();
    for (let value = 0; value < 20; value++) await append(`k${value % 3}`, value);
    await log.position(await append('last', 20));
    await settled(subscription);
    assert.deepEqual(
      await seen(),
      Array.from({ length: 21 }, (_, value) => ({
        key: value < 20 ? `k${value % 3}` : 'last',
        value,
      })),
    );
  });

  test('concurrent writers lose nothing, and each key keeps its order', async () => {
    const { append, consume, log, seen, settled } = await openHarness(backend);
    const subscription = consume();
    const keys = Array.from({ length: 12 }, (_, index) => index);
    const tickets = await Promise.all(
      keys.map(async (key) => {
        for (let step = 0; step < 14; step++) await append(`k${key}`, key * 100 + step);
        return append(`k${key}`, key * 100 + 14);
      }),
    );
    for (const ticket of tickets) await log.position(ticket);
    await settled(subscription);
    const found = await seen();
    assert.equal(found.length, 12 * 15);
    for (const key of keys) {
      const own = found.filter((row) => row.key === `k${key}`).map((row) => row.value);
      assert.deepEqual(
        own,
        Array.from({ length: 15 }, (_, step) => key * 100 + step),
      );
    }
  });

  test('entries of one call keep their order and the ticket names the last', async () => {
    const { database, consume, log, seen } = await openHarness(backend);
    const subscription = consume();
    const ticket = await database.transact((tx) =>
      log.append(
        tx,
        TOPIC,
        [1, 2, 3].map((value) => ({ key: 'k', entry: receipt(value) })),
      ),
    );
    assert.ok(await subscription.reached(await log.position(ticket), 10_000));
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [1, 2, 3],
    );
    assert.equal(await log.position(ticket), await log.head(TOPIC));
  });

  test('no entries have a position that is reached at once', async () => {
    const { database, consume, log } = await openHarness(backend);
    const subscription = consume();
    const ticket = await database.transact((tx) => log.append(tx, TOPIC, []));
    assert.equal(await subscription.reached(await log.position(ticket), 10_000), true);
  });
});

forEachBackend('event log: outbox', (backend) => {
  test('a unit that is rolled back leaves no entry, and positions go on rising', async () => {
    const { database, append, consume, log, seen, settled } = await openHarness(backend);
    const subscription = consume();
    const first = await log.position(await append('k', 1));
    const lost = database.transact(async (tx) => {
      await appendOne(log, tx, { key: 'k', value: 2 });
      throw new Error('no');
    });
    await assert.rejects(lost, /no/);
    const third = await log.position(await append('k', 3));
    assert.ok(third > first);
    await settled(subscription);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [1, 3],
    );
  });

  test('nobody is woken before COMMIT, nor by one that fails', async () => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let mode: 'pass' | 'hold' | 'fail' = 'pass';
    const { append, consume, log, seen, settled } = await openHarness(backend, {
      beforeCommit: async () => {
        if (mode === 'fail') throw new Error('no disk');
        if (mode === 'pass') return;
        reached.resolve();
        await held.promise;
      },
    });
    const subscription = consume();
    await log.position(await append('k', 0));
    await settled(subscription);
    mode = 'hold';
    const appending = append('k', 1);
    await reached.promise;
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [0],
    );
    mode = 'pass';
    held.resolve();
    await log.position(await appending);
    mode = 'fail';
    await assert.rejects(append('k', 2));
    mode = 'pass';
    await log.position(await append('k', 3));
    await settled(subscription);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [0, 1, 3],
    );
  });
});

forEachBackend('event log: consumers', (backend) => {
  test('resume after a restart where they stopped, without repeats', async () => {
    const one = await openHarness(backend);
    const subscription = one.consume();
    for (const value of [1, 2]) await one.log.position(await one.append('k', value));
    await one.settled(subscription);
    await subscription.close();
    const before = await one.log.position(await one.append('k', 3));
    await one.log.close();
    await one.database.close();

    const two = await openHarness(backend);
    assert.equal(await two.log.head(TOPIC), before);
    const again = two.consume();
    await two.settled(again);
    assert.ok((await two.log.position(await two.append('k', 4))) > before);
    await two.settled(again);
    assert.deepEqual(
      (await two.seen()).map((row) => row.value),
      [1, 2, 3, 4],
    );
  });

  test('a crash between applying and committing repeats nothing', async () => {
    let failures = 0;
    let failing = false;
    const clock = new ManualClock();
    const { append, consume, log, seen, settled, errors } = await openHarness(backend, {
      clock,
      beforeCommit: async () => {
        if (!failing) return;
        failures += 1;
        throw new Error('no disk');
      },
    });
    const applied = Promise.withResolvers<void>();
    await log.position(await append('k', 1));
    let batches = 0;
    const subscription = consume({
      onBatch: () => {
        failing = batches++ === 0;
        applied.resolve();
      },
    });
    await applied.promise;
    await until(() => failures > 0);
    failing = false;
    assert.deepEqual(await seen(), []);
    await until(() => {
      clock.advance(100);
      return subscription.position > 0;
    });
    await settled(subscription);
    assert.equal(batches, 2);
    assert.deepEqual(await seen(), [{ key: 'k', value: 1 }]);
    assert.deepEqual([errors, await log.parked()], [[], []]);
  });

  test('whose position somebody else has moved go on from there', async () => {
    const clock = new ManualClock();
    const { database, append, consume, log, seen } = await openHarness(backend, { clock });
    const subscription = consume();
    const first = await log.position(await append('k', 1));
    await subscription.reached(first, 10_000);
    await database.transact((tx) =>
      tx.run(sql`UPDATE eventlog_consumers SET position = ${first + 1} WHERE position = ${first}`),
    );
    assert.equal(await log.position(await append('k', 2)), first + 1);
    await until(() => {
      clock.advance(100);
      return subscription.position > first;
    });
    const third = await log.position(await append('k', 3));
    assert.ok(await subscription.reached(third, 10_000));
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [1, 3],
    );
  });

  test('that lag get batches, read from the table', async () => {
    const { database, consume, log, seen, settled } = await openHarness(backend);
    const many = Array.from({ length: 1500 }, (_, value) => ({ key: 'k', entry: receipt(value) }));
    await log.position(await database.transact((tx) => log.append(tx, TOPIC, many)));
    const sizes: number[] = [];
    await settled(consume({ onBatch: (entries) => sizes.push(entries.length) }));
    assert.deepEqual(sizes, [200, 200, 200, 200, 200, 200, 200, 100]);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      many.map(({ entry }) => entry.ts),
    );
  });

  test('several consumers each get everything', async () => {
    const { database, append, consume, log, settled } = await openHarness(backend);
    const counts = [0, 0];
    const subscriptions = counts.map((_, index) =>
      log.consume({
        name: `c${index}`,
        topic: TOPIC,
        database,
        apply: async (_tx, entries) => {
          counts[index] = (counts[index] ?? 0) + entries.length;
        },
      }),
    );
    for (let value = 0; value < 5; value++) await log.position(await append('k', value));
    for (const subscription of subscriptions) await settled(subscription);
    assert.deepEqual(counts, [5, 5]);
    assert.throws(() => consume({ name: 'c0' }), /already consumes/);
  });
});

forEachBackend('event log: reached', (backend) => {
  test('waits for the consumer, and gives up after the time', async () => {
    const clock = new ManualClock();
    const { append, consume, log, settled } = await openHarness(backend, { clock });
    const subscription = consume();
    const position = await log.position(await append('k', 1));
    assert.equal(await subscription.reached(position, 1000), true);
    assert.equal(await subscription.reached(position, 1000), true);
    const never = subscription.reached(position + 100, 1000);
    clock.advance(1000);
    assert.equal(await never, false);
    const closed = subscription.reached(position + 100, 1000);
    await settled(subscription);
    await subscription.close();
    assert.equal(await closed, false);
  });
});

forEachBackend('event log: parked keys', (backend) => {
  test('a bad entry parks its key with all that follows; others go on; retry resumes in order', async () => {
    const { append, consume, log, seen, settled, errors } = await openHarness(backend);
    let broken = true;
    const subscription = consume({
      fail: ({ entry }) => {
        if (broken && entry.ts === 2) throw new Error('bad entry');
      },
    });
    // One after another: units that run side by side commit in any order.
    await append('bad', 1);
    await append('good', 10);
    const bad = await log.position(await append('bad', 2));
    assert.equal(await subscription.reached(bad, 10_000), false);
    for (const [key, value] of [
      ['bad', 3],
      ['good', 11],
      ['bad', 4],
    ] as const) {
      await log.position(await append(key, value));
    }
    await settled(subscription);
    const values = async () => (await seen()).map((row) => row.value).sort((a, b) => a - b);
    assert.deepEqual(await values(), [1, 10, 11]);
    assert.equal(await subscription.reached(bad, 10_000), false);
    assert.deepEqual(await log.parked(), [
      { consumer: 'test', topic: TOPIC, key: 'bad', position: bad, error: 'Error: bad entry' },
    ]);
    assert.equal(errors.length, 1);
    await assert.rejects(log.retry('test', TOPIC, 'bad'), /bad entry/);
    assert.equal((await log.parked()).length, 1);

    broken = false;
    await log.retry('test', TOPIC, 'bad');
    assert.deepEqual(await log.parked(), []);
    assert.deepEqual(await values(), [1, 2, 3, 4, 10, 11]);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      [1, 10, 11, 2, 3, 4],
    );
    await log.position(await append('bad', 5));
    await settled(subscription);
    assert.deepEqual(await values(), [1, 2, 3, 4, 5, 10, 11]);
  });

  test('are tried again at start, in order and before what is new; what fails stays parked', async () => {
    const fail = ({ entry }: ReceiptEntry) => {
      if (entry.ts < 10) throw new Error('bad');
    };
    const one = await openHarness(backend);
    const subscription = one.consume({ fail });
    for (const [key, value] of [
      ['k', 1],
      ['k', 2],
      ['good', 10],
    ] as const) {
      await one.log.position(await one.append(key, value));
    }
    await one.settled(subscription);
    await one.log.close();
    await one.database.close();

    const two = await openHarness(backend);
    const still = two.consume({ fail });
    await two.log.position(await two.append('k', 3));
    await two.log.position(await two.append('good', 11));
    await two.settled(still);
    await until(() => two.errors.length > 0, 'the failure of what was tried again');
    const values = async ({ seen }: Harness) => (await seen()).map((row) => row.value);
    assert.deepEqual(await values(two), [10, 11]);
    assert.equal((await two.log.parked()).length, 1);
    assert.equal(two.errors.length, 1);
    await two.log.close();
    await two.database.close();

    const three = await openHarness(backend);
    const order: number[] = [];
    const mended = three.consume({
      onBatch: (entries) => order.push(...entries.map(({ entry }) => entry.ts)),
    });
    await three.log.position(await three.append('k', 4));
    await three.settled(mended);
    await until(async () => (await three.log.parked()).length === 0, 'nothing parked');
    assert.deepEqual(order, [1, 2, 3, 4]);
    // After all that was told meanwhile, so that nobody who has been told that misses it.
    assert.deepEqual(await values(three), [10, 11, 1, 2, 3, 4]);
  });

  test('go on in order after a crash between being appended again and being applied', async () => {
    const { database, log, append, consume } = await openHarness(backend);
    const failing = consume({
      fail: () => {
        throw new Error('bad');
      },
    });
    await failing.reached(await log.position(await append('k', 1)), 10_000);
    await failing.close();
    // As the transaction leaves it that appends what was parked, while something new had come before.
    await log.position(await append('k', 2));
    const resumed = { consumer: 'test', isLast: true };
    const again = { ...receipt(1), resumed };
    await database.transact(async (tx) => {
      await tx.run(sql`UPDATE eventlog_parked SET position = 0`);
      await log.append(tx, TOPIC, [{ key: 'k', entry: again }]);
    });
    const order: number[] = [];
    consume({ onBatch: (entries) => order.push(...entries.map(({ entry }) => entry.ts)) });
    consume({ name: 'other' });
    await until(async () => (await log.parked()).length === 0, 'nothing parked');
    assert.deepEqual(order, [1, 2]);
  });

  test('one bad entry in a batch is found, and nothing is applied twice', async () => {
    const { database, consume, log, seen, settled } = await openHarness(backend);
    const many = Array.from({ length: 50 }, (_, value) => ({
      key: `k${value % 10}`,
      entry: receipt(value),
    }));
    await log.position(await database.transact((tx) => log.append(tx, TOPIC, many)));
    await settled(
      consume({
        fail: ({ entry }) => {
          if (entry.ts === 23) throw new Error('bad');
        },
      }),
    );
    const expected = many.map(({ entry }) => entry.ts).filter((ts) => ts % 10 !== 3 || ts < 23);
    assert.deepEqual(
      (await seen()).map((row) => row.value),
      expected,
    );
    assert.deepEqual(
      (await log.parked()).map((parked) => parked.key),
      ['k3'],
    );
  });

  test('retry of what is not consumed here is refused, of what is not parked does nothing', async () => {
    const { consume, log } = await openHarness(backend);
    await assert.rejects(log.retry('test', TOPIC, 'k'), /does not consume/);
    consume();
    await log.retry('test', TOPIC, 'k');
  });
});

forEachBackend('event log: trim', (backend) => {
  test('drops what is old and passed by all, keeps the newest, and positions never repeat', async () => {
    const clock = new ManualClock();
    const options = { clock, retentionMs: 1000 };
    const { database, append, consume, log, settled } = await openHarness(backend, options);
    const left = async () =>
      (await database.all<{ id: number }>(sql`SELECT id FROM eventlog_entries`)).length;
    const slow = consume({ name: 'slow' });
    for (const value of [1, 2, 3]) await log.position(await append('k', value));
    await settled(slow);
    await slow.close();
    let last = 0;
    for (const value of [4, 5, 6]) last = await log.position(await append('k', value));
    await log.trim();
    assert.equal(await left(), 6);
    clock.advance(2000);
    await log.trim();
    assert.equal(await left(), 3);
    const again = consume({ name: 'slow' });
    await settled(again);
    await log.trim();
    assert.equal(await left(), 1);
    await log.close();
    await database.close();
    const two = await openHarness(backend, options);
    assert.ok((await two.log.position(await two.append('k', 7))) > last);
  });
});

forEachBackend('event log: ephemeral topics', (backend) => {
  test('reach who listens now; a listener that fails harms nobody', async () => {
    const { log, errors } = await openHarness(backend);
    const heard: string[] = [];
    const typing = { userId: '@u:x' as UserId, typing: true, timeoutMs: 1000 };
    log.publishEphemeral('edu.typing', 'nobody', typing);
    const stopped = log.listenEphemeral('edu.typing', () => {
      throw new Error('mine');
    });
    log.listenEphemeral('edu.typing', (key) => heard.push(key));
    log.publishEphemeral('edu.typing', 'a', typing);
    stopped();
    log.publishEphemeral('edu.typing', 'b', typing);
    assert.deepEqual(heard, ['a', 'b']);
    assert.equal(errors.length, 1);
  });
});
