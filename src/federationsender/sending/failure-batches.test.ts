import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { Sql, SqlRows } from '../../database/sql.ts';
import { FailureBatches } from './failure-batches.ts';

function setUp() {
  const timers = new ManualClock();
  const units: number[][] = [];
  const run = async ({ strings, parameters: [first] }: Sql) => {
    if (!strings.join('').includes('proven = 0')) return 0;
    units.push((first as SqlRows).data.map(({ id }) => Number(id)));
    return 1;
  };
  const transact = (unit: (tx: Transaction) => Promise<void>) =>
    unit({ run } as unknown as Transaction);
  const batches = new FailureBatches({ timers, database: { transact } as unknown as Database });
  const write = (id: number, body?: () => Promise<void>) =>
    batches.write({ id, failingSince: 1, failedAt: 1, retryAt: 2, retryInterval: 1 }, body);
  return { timers, units, write };
}

test('failures that come together are written together', async () => {
  const { timers, units, write } = setUp();
  const written = [write(1), write(2)];
  assert.deepEqual(units, []);
  timers.advance(1_000);
  await Promise.all(written);
  const late = write(3);
  timers.advance(1_000);
  await late;
  assert.deepEqual(units, [[1, 2], [3]]);
});

test('a unit of work is never larger than its bound', async () => {
  const { timers, units, write } = setUp();
  const written = Array.from({ length: 120 }, (_, n) => write(n));
  timers.advance(1_000);
  await Promise.all(written);
  assert.deepEqual(
    units.map(({ length }) => length),
    [50, 50, 20],
  );
});

test('who waits for a failure to be written learns that it was not', async () => {
  const { timers, write } = setUp();
  const others = write(1);
  const failing = write(2, async () => {
    throw new Error('the disk is full');
  });
  timers.advance(1_000);
  await assert.rejects(failing, /full/);
  await assert.rejects(others, /full/);
});
