import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { FailureBatches } from './failure-batches.ts';

function setUp() {
  const timers = new ManualClock();
  const units: string[][] = [];
  const transact = async (unit: (tx: Transaction) => Promise<void>) => {
    const written: string[] = [];
    units.push(written);
    await unit({ note: (name: string) => written.push(name) } as unknown as Transaction);
  };
  const batches = new FailureBatches({ timers, database: { transact } as unknown as Database });
  const write = (name: string) =>
    batches.write(async (tx) => void (tx as unknown as { note(name: string): void }).note(name));
  return { timers, units, batches, write };
}

test('failures that come together are written together', async () => {
  const { timers, units, write } = setUp();
  const written = [write('one'), write('other')];
  assert.deepEqual(units, []);
  timers.advance(1_000);
  await Promise.all(written);
  const late = write('late');
  timers.advance(1_000);
  await late;
  assert.deepEqual(units, [['one', 'other'], ['late']]);
});

test('a unit of work is never larger than its bound', async () => {
  const { timers, units, write } = setUp();
  const written = Array.from({ length: 120 }, (_, n) => write(`${n}`));
  timers.advance(1_000);
  await Promise.all(written);
  assert.deepEqual(
    units.map(({ length }) => length),
    [50, 50, 20],
  );
});

test('who waits for a failure to be written learns that it was not', async () => {
  const { timers, batches, write } = setUp();
  const others = write('other');
  const failing = batches.write(async () => {
    throw new Error('the disk is full');
  });
  timers.advance(1_000);
  await assert.rejects(failing, /full/);
  await assert.rejects(others, /full/);
});
