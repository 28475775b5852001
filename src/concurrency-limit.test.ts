import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { MatrixError } from './protocol/error.ts';

test('runs no more than allowed at once, in order, and refuses when too many wait', async () => {
  const limit = new ConcurrencyLimit({ running: 1, waiting: 2 });
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const task = (name: string) => async () => {
    order.push(name);
    await gate.promise;
    return name;
  };
  const all = [limit.run(task('a')), limit.run(task('b')), limit.run(task('c'))];
  await assert.rejects(
    limit.run(task('d')),
    (error) => error instanceof MatrixError && error.errcode === 'M_LIMIT_EXCEEDED',
  );
  assert.deepEqual(order, ['a']);
  gate.resolve();
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c']);
  assert.deepEqual(order, ['a', 'b', 'c']);
});

test('a task that fails gives its place to the next', async () => {
  const limit = new ConcurrencyLimit({ running: 1, waiting: 1 });
  const failing = limit.run(() => Promise.reject(new Error('no')));
  const next = limit.run(async () => 'next');
  await assert.rejects(failing, /no/);
  assert.equal(await next, 'next');
  assert.equal(await limit.run(async () => 'later'), 'later');
});
