// Rings for what is due first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from './alarm.ts';
import { ManualClock } from './clock.ts';

test('rings once, at the first of the times', () => {
  const clock = new ManualClock(0);
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => rung.push(clock.now()));
  for (const at of [500, 200, 300]) alarm.set(at);
  clock.advance(1_000);
  assert.deepEqual(rung, [200]);
  alarm.set(900);
  clock.advance(0);
  assert.deepEqual(rung, [200, 1_000]);
});

test('does not ring for what was cleared, nor once it is closed', () => {
  const clock = new ManualClock(0);
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => rung.push(clock.now()));
  alarm.set(100);
  alarm.clear();
  alarm.set(200);
  clock.advance(300);
  assert.deepEqual(rung, [200]);
  alarm.set(400);
  alarm.close();
  alarm.set(500);
  clock.advance(1_000);
  assert.deepEqual(rung, [200]);
});
