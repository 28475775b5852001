import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyBudget } from './body-budget.ts';

const refused = { errcode: 'M_LIMIT_EXCEEDED' };

test('bounds what one address, and what all together hold', () => {
  const budget = new BodyBudget({ total: 100, perAddress: 40, free: 5 });
  for (let n = 0; n < 100; n += 1) assert.equal(budget.reserve('a', 5), undefined);
  const first = budget.reserve('a', 30);
  assert.throws(() => budget.reserve('a', 11), refused);
  budget.reserve('b', 40);
  assert.throws(() => budget.reserve('c', 31), refused);
  budget.reserve('c', 30);
  assert.throws(() => budget.reserve('d', 6), refused);
  first?.();
  first?.();
  budget.reserve('d', 30);
  assert.throws(() => budget.reserve('a', 6), refused);
});
