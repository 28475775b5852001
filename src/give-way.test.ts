// However many there are who do work in pieces, most turns of the event loop have none of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { giveWay } from './give-way.ts';

test('pieces of several come one after another, in order, with turns for others in between', async () => {
  let turn = 0;
  let isOver = false;
  const counting = (async () => {
    for (; !isOver; turn += 1) await setImmediate();
  })();
  const pieces: { readonly of: string; readonly turn: number }[] = [];
  const work = async (of: string) => {
    for (let n = 0; n < 3; n += 1) {
      await giveWay();
      pieces.push({ of, turn });
    }
  };
  await Promise.all(['a', 'b', 'c'].map(work));
  isOver = true;
  await counting;
  assert.equal(pieces.map(({ of }) => of).join(''), 'abcabcabc');
  for (const [n, piece] of pieces.slice(1).entries()) {
    assert.ok(piece.turn - (pieces[n]?.turn ?? 0) >= 4, JSON.stringify(pieces));
  }
});
