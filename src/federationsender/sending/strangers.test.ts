import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { Sql, SqlList } from '../../database/sql.ts';
import { silentLogger } from '../../logger.ts';
import { Strangers } from './strangers.ts';

function setUp() {
  const clock = new ManualClock();
  const units: (readonly unknown[])[] = [];
  const told: number[] = [];
  let isBroken = false;
  const transact = async (body: (tx: Transaction) => Promise<void>) => {
    if (isBroken) throw new Error('the disk is full');
    const seen: (readonly unknown[])[] = [];
    const run = async ({ parameters: [ids] }: Sql) => seen.push((ids as SqlList).values);
    await body({ run } as unknown as Transaction);
    units.push(seen[0] ?? []);
  };
  const database = { transact } as unknown as Database;
  const onAway = (ids: readonly number[]) => void told.push(...ids);
  const strangers = new Strangers({ database, clock, logger: silentLogger, onAway });
  const after = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  };
  const breaks = () => {
    isBroken = true;
  };
  return { strangers, units, told, after, breaks };
}

test('who has not answered after a while is written down, each once', async () => {
  const { strangers, units, told, after } = setUp();
  strangers.add(1);
  strangers.add(2);
  await after(600);
  strangers.add(3);
  strangers.remove(2);
  await after(600);
  assert.deepEqual(units, [[1]]);
  await after(600);
  assert.deepEqual(units, [[1], [3]]);
  await after(10_000);
  assert.deepEqual(told, [1, 3]);
});

test('a unit of work is never larger than its bound', async () => {
  const { strangers, units, after } = setUp();
  for (let id = 1; id <= 120; id += 1) strangers.add(id);
  await after(1_000);
  assert.deepEqual(
    units.map(({ length }) => length),
    [50, 50, 20],
  );
});

test('where it cannot be written, nobody is told', async () => {
  const { strangers, told, after, breaks } = setUp();
  breaks();
  strangers.add(1);
  await after(1_000);
  assert.deepEqual(told, []);
  await strangers.close();
});
