import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../clock.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { AnswerBudget } from './answer-budget.ts';

const MB = 1024 * 1024;
const EVE = 'eve.test' as ServerName;

test('who answers at length is asked again only later', () => {
  const clock = new ManualClock();
  const budget = new AnswerBudget(clock);
  for (let n = 0; n < 3; n++) {
    assert.equal(budget.isSpent(EVE), false);
    budget.spend(EVE, 7 * MB);
  }
  assert.equal(budget.isSpent(EVE), true);
  assert.equal(budget.isSpent('other.test' as ServerName), false);
  // 5 MB too much, an eighth of a megabyte a second.
  clock.advance(39_000);
  assert.equal(budget.isSpent(EVE), true);
  clock.advance(2_000);
  assert.equal(budget.isSpent(EVE), false);
});

test('short answers are never too many', () => {
  const clock = new ManualClock();
  const budget = new AnswerBudget(clock);
  for (let n = 0; n < 1_000; n++) {
    budget.spend(EVE, 0.1 * MB);
    clock.advance(1_000);
    assert.equal(budget.isSpent(EVE), false);
  }
});
