import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isStorableText,
  type JsonMeasures,
  MAX_JSON_DEPTH,
  measureJson,
  parseForeignJson,
} from './json-checks.ts';

function measured(text: string): JsonMeasures {
  const scan = measureJson(text);
  for (let step = scan.next(); ; step = scan.next()) if (step.done === true) return step.value;
}

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
  for (const [text, depth] of cases) assert.equal(measured(text).depth, depth, text);
});

test('JSON of any depth is refused before anything recurses into it', () => {
  assert.doesNotThrow(() => parseForeignJson(nested(MAX_JSON_DEPTH)));
  for (const levels of [MAX_JSON_DEPTH + 1, 10_000, 1_000_000]) {
    assert.throws(() => parseForeignJson(nested(levels)), { errcode: 'M_BAD_JSON' });
    assert.throws(() => parseForeignJson('{"a":'.repeat(levels)), { errcode: 'M_BAD_JSON' });
    assert.throws(() => parseForeignJson(`${'[1.5,'.repeat(levels)}`), { errcode: 'M_BAD_JSON' });
  }
});

test('JSON of very many tiny values is refused before they take memory', () => {
  assert.equal(measured('[1,[],{"a":2,"b":"[,,"}]').values, 7);
  assert.doesNotThrow(() => parseForeignJson(`[${'0,'.repeat(90_000)}0]`));
  for (const tiny of ['0', '[]', '{}', '""', 'null', '{"":0}', '1.5']) {
    const text = `[${`${tiny},`.repeat(400_000)}0]`;
    assert.throws(() => parseForeignJson(text), { errcode: 'M_BAD_JSON' }, tiny);
  }
  const usual = JSON.stringify({
    type: 'm.room.member',
    content: { membership: 'join' },
    depth: 3,
  });
  assert.doesNotThrow(() => parseForeignJson(`[${`${usual},`.repeat(40_000)}0]`));
});

test('what is no JSON is M_NOT_JSON', () => {
  for (const text of ['', '{', '"', '"\\', 'nil', '[1.0', '{"a":"\u0000"}']) {
    assert.throws(() => parseForeignJson(text), { errcode: 'M_NOT_JSON' }, text);
  }
});

test('text that cannot be kept is told from text that can', () => {
  for (const text of ['\0', 'a\0b', '\ud800', '\udc00', '\ud83d x'])
    assert.equal(isStorableText(text), false);
  for (const text of ['', '日本語 😀', '\x01']) assert.equal(isStorableText(text), true);
});
