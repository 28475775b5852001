import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryHeap } from './binary-heap.ts';
import { compareIds } from './event-order.ts';
import { parseStateKey, stateKeyOf } from './state-key.ts';
import { randomFrom } from './test-random-dag.ts';

test('event ids are ordered as their UTF-8 bytes are', () => {
  const ids = [
    '$',
    '$a',
    '$b',
    '$B',
    '$ab',
    '$\uffff',
    '$\ue000',
    '$😀',
    '$😁',
    '$\u{10000}',
    '$é',
    '$é:a',
  ];
  const byBytes = ids.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  assert.deepEqual(ids.toSorted(compareIds), byBytes);
  for (const id of ids) assert.equal(compareIds(id, id), 0);
});

test('a heap gives out the smallest first, also between additions', () => {
  const random = randomFrom(7);
  const heap = new BinaryHeap<number>((x, y) => x - y);
  const inside: number[] = [];
  for (let step = 0; step < 2000; step++) {
    if (random() < 0.55) {
      const item = Math.floor(random() * 50);
      heap.push(item);
      inside.push(item);
    } else {
      inside.sort((x, y) => x - y);
      assert.equal(heap.pop(), inside.shift());
    }
  }
});

test('state keys are taken apart as they were put together', () => {
  for (const [type, stateKey] of [
    ['m.room.member', '@a:b'],
    ['m.room.topic', ''],
    ['', ''],
    ['type with space', 'key with\nbreak'],
  ] as const) {
    assert.deepEqual(parseStateKey(stateKeyOf(type, stateKey)), { type, stateKey });
  }
});
