import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import { Pace } from './pace.ts';

function begin(count: number) {
  const timers = new ManualClock();
  const begun: number[] = [];
  let waiting = count;
  const pump = () => {
    while (waiting > 0 && pace.take()) {
      waiting -= 1;
      begun.push(timers.now());
    }
  };
  const pace = new Pace({ timers, onReady: pump });
  pump();
  return { timers, begun };
}

test('few begin at once', () => {
  assert.equal(begin(3).begun.length, 3);
});

test('many begin one after another', () => {
  const { timers, begun } = begin(100);
  assert.ok(begun.length < 10);
  timers.advance(100);
  assert.ok(begun.length > 10 && begun.length < 60);
  timers.advance(1_000);
  assert.equal(begun.length, 100);
  const times = Map.groupBy(begun, (time) => time);
  assert.ok([...times.values()].every((group) => group.length < 10));
});

test('who comes after a rest begins at once', () => {
  const { timers, begun } = begin(1);
  timers.advance(1_000);
  assert.equal(begun.length, 1);
  assert.equal(begin(1).begun.length, 1);
});
