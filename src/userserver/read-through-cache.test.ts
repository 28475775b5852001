import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadThroughCache } from './read-through-cache.ts';

test('reads once for those who ask at once, then from memory', async () => {
  let reads = 0;
  const cache = new ReadThroughCache<string, { n: number }>(10, async () => ({ n: ++reads }));
  const [first, second] = await Promise.all([cache.get('a'), cache.get('a')]);
  assert.equal(first, second);
  assert.equal(await cache.get('a'), first);
  assert.equal(cache.peek('a'), first);
  assert.equal(reads, 1);
});

test('a read that began before a change is not kept after it', async () => {
  const answers = [Promise.withResolvers<{ n: number }>(), Promise.withResolvers<{ n: number }>()];
  let reads = 0;
  const cache = new ReadThroughCache<string, { n: number }>(
    10,
    () => answers[reads++]?.promise ?? Promise.reject(new Error('too many reads')),
  );
  const stale = cache.get('a');
  cache.forget('a');
  const fresh = cache.get('a');
  answers[1]?.resolve({ n: 2 });
  assert.deepEqual(await fresh, { n: 2 });
  answers[0]?.resolve({ n: 1 });
  assert.deepEqual(await stale, { n: 1 });
  assert.deepEqual(await cache.get('a'), { n: 2 });
});

test('neither failures nor absence are remembered', async () => {
  let reads = 0;
  const cache = new ReadThroughCache<string, { n: number }>(10, async () => {
    reads += 1;
    if (reads === 1) throw new Error('unavailable');
    return reads === 2 ? undefined : { n: reads };
  });
  await assert.rejects(cache.get('a'), /unavailable/);
  assert.equal(await cache.get('a'), undefined);
  assert.deepEqual(await cache.get('a'), { n: 3 });
});
