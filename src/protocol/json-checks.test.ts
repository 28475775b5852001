import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkStorable,
  isStorableText,
  jsonDepth,
  MAX_JSON_DEPTH,
  parseClientJson,
  parseForeignJson,
} from './json-checks.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('depth is counted outside of strings', () => {
  const cases: [string, number][] = [
    ['1', 0],
    ['{}', 1],
    ['[[],[[]]]', 3],
    ['{"a":{"b":[]}}', 3],
    ['["[[[[", "\\"[[[", "\\\\", []]', 2],
    ['["\\\\\\"[[", {}]', 2],
  ];
  for (const [text, depth] of cases) assert.equal(jsonDepth(text), depth, text);
});

test('JSON of any depth is refused before anything recurses into it', () => {
  assert.doesNotThrow(() => parseForeignJson(nested(MAX_JSON_DEPTH)));
  for (const levels of [MAX_JSON_DEPTH + 1, 10_000, 1_000_000]) {
    assert.throws(() => parseForeignJson(nested(levels)), { errcode: 'M_BAD_JSON' });
    assert.throws(() => parseForeignJson('{"a":'.repeat(levels)), { errcode: 'M_BAD_JSON' });
    assert.throws(() => parseClientJson(`${'[1.5,'.repeat(levels)}`), { errcode: 'M_BAD_JSON' });
  }
});

test('what is no JSON is M_NOT_JSON', () => {
  for (const text of ['', '{', '"', '"\\', 'nil', '[1.0', '{"a":"\u0000"}']) {
    assert.throws(() => parseForeignJson(text), { errcode: 'M_NOT_JSON' }, text);
  }
});

test('NUL and lone surrogates in text or keys are refused from clients, not from servers', () => {
  const bad = ['"\\u0000"', '["\\ud800"]', '{"a":{"\\udc00":1}}', '{"\\u0000":1}', '["\\ud83d x"]'];
  for (const text of bad) {
    assert.throws(() => parseClientJson(text), { errcode: 'M_BAD_JSON' }, text);
    assert.doesNotThrow(() => parseForeignJson(text), text);
  }
  assert.throws(() => parseClientJson('["\ud800"]'), { errcode: 'M_BAD_JSON' });
  assert.deepEqual(parseClientJson('["\\ud83d\\ude00","\\u0001","\\\\u0000"]'), [
    '😀',
    '\x01',
    '\\u0000',
  ]);
});

test('checkStorable looks into everything', () => {
  checkStorable({ a: [1, null, true, { b: 'c' }] });
  checkStorable(undefined);
  for (const value of ['\0', ['a', '\ud800'], { a: [{ b: '\0' }] }, { 'a\0': 1 }]) {
    assert.throws(() => checkStorable(value), { errcode: 'M_BAD_JSON' });
  }
  assert.equal(isStorableText('日本語 😀'), true);
});
