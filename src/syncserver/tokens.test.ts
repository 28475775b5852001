// Tokens come back as they went out, and whatever is not ours is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixError } from '../protocol/error.ts';
import {
  encodePaginationToken,
  encodeSyncToken,
  type PaginationToken,
  parsePaginationToken,
  parseSyncToken,
  type SyncToken,
} from './tokens.ts';

const TOKEN: SyncToken = {
  rooms: 72_594,
  users: 4,
  receipts: 0,
  toDevice: Number.MAX_SAFE_INTEGER,
  typing: 35,
  presence: 36,
  epoch: 1_700_000_000_000,
  time: 1_700_000_000_001,
};

const isInvalid = (error: unknown) =>
  error instanceof MatrixError && error.errcode === 'M_INVALID_PARAM';

test('sync tokens come back as they went out', () => {
  const text = encodeSyncToken(TOKEN);
  assert.deepEqual(parseSyncToken(text), TOKEN);
  assert.match(text, /^[A-Za-z0-9_]+$/);
  assert.ok(text.length < 80);
});

test('pagination tokens come back as they went out, and sync tokens are points in the stream', () => {
  const tokens: PaginationToken[] = [
    { kind: 'stream', position: 0 },
    { kind: 'stream', position: 123_456 },
    { kind: 'topological', depth: 7, position: -12 },
    { kind: 'topological', depth: -1, position: Number.MIN_SAFE_INTEGER },
  ];
  for (const token of tokens) {
    assert.deepEqual(parsePaginationToken(encodePaginationToken(token), 'from'), token);
  }
  assert.deepEqual(parsePaginationToken(encodeSyncToken(TOKEN), 'from'), {
    kind: 'stream',
    position: TOKEN.rooms,
  });
});

const good = encodeSyncToken(TOKEN);
for (const text of [
  '',
  's1',
  's1_',
  's72594_4483_1934',
  good.slice(0, -1).concat('_'),
  `${good}_0`,
  good.replace('s1', 's2'),
  good.replace('s1', 'S1'),
  good.replace(/^s1_[^_]*/, 's1_01'),
  good.replace(/^s1_[^_]*/, 's1_1.5'),
  good.replace(/^s1_[^_]*/, 's1_-0'),
  good.replace(/^s1_[^_]*/, 's1_zzzzzzzzzzzzzz'),
  good.replace(/^s1_[^_]*/, 's1_ 1'),
  good.replace(/^s1_[^_]*/, 's1_A'),
]) {
  test(`${JSON.stringify(text)} is no sync token`, () => {
    assert.throws(() => parseSyncToken(text), isInvalid);
  });
}

for (const text of ['', 'p1', 'p1_', 'p1_1_2', 't1_1', 't1_1_2_3', 't1__1', 'x1_1', 'p1_ÿ']) {
  test(`${JSON.stringify(text)} is no pagination token`, () => {
    assert.throws(() => parsePaginationToken(text, 'from'), isInvalid);
  });
}
