import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, compileWordGlob, MAX_GLOB_LENGTH, MAX_SEARCHED_LENGTH } from './glob.ts';

const WHOLE: [pattern: string, matching: string[], others: string[]][] = [
  ['', [''], ['a', ' ']],
  ['*', ['', 'a', 'a\nb', '😀'], []],
  ['**', ['', 'abc'], []],
  ['?', ['a', '\n', '😀'], ['', 'ab']],
  ['abc', ['abc', 'ABC'], ['abcd', ' abc', 'abc\n']],
  ['lunc?*', ['Lunch plans', 'LUNCH'], [' lunch', 'lunc']],
  ['a*c', ['ac', 'abc', 'a\nc', 'abcbc'], ['ab', 'bc', 'acb']],
  ['*a*b*', ['ab', 'xaybz', 'aab'], ['ba', '']],
  ['a*a', ['aa', 'aba'], ['a']],
  ['a?c*?e', ['abcde', 'abcdxe'], ['abce', 'ace']],
  ['*.example.org', ['x.example.org', '.example.org'], ['example.org', 'xexampleXorg']],
  ['a.b\\d+[x]$^(y){2}|/', ['A.B\\D+[X]$^(Y){2}|/'], ['a.b1x', 'axb\\d+[x]$^(y){2}|/']],
  ['GRÜSSE', ['grüsse'], ['grusse']],
];

for (const [pattern, matching, others] of WHOLE) {
  test(`whole texts: "${pattern}"`, () => {
    for (const text of matching) assert.equal(compileGlob(pattern)(text), true, text);
    for (const text of others) assert.equal(compileGlob(pattern)(text), false, text);
  });
}

const WORDS: [pattern: string, matching: string[], others: string[]][] = [
  ['', [], ['', ' ', 'a, b']],
  [
    'cake',
    ['cake', 'A Cake!', 'x-cake-y', 'ä cakeä', '(cake)', 'cakes cake'],
    ['cakes', 'pancake', 'cake_', '1cake', ''],
  ],
  [
    'ex*ple',
    ['An example event.', 'exple', 'An exciting triple-whammy'],
    ['examples', 'anexample', 'explex'],
  ],
  ['@room', ['@room', 'hi @room!', 'a @room.'], ['a@room', '@rooms']],
  ['c?ke', ['a coke', 'c😀ke'], ['cke', 'ccoke']],
  ['*', ['', 'abc'], []],
  ['foo*', ['foo', 'a foobar'], ['afoo']],
  ['*foo', ['foo', 'barfoo x'], ['foobar']],
  ['a*b', ['a c b', 'xb a xb b'], ['xa b', 'ab1']],
];

for (const [pattern, matching, others] of WORDS) {
  test(`words: "${pattern}"`, () => {
    for (const text of matching) assert.equal(compileWordGlob(pattern)(text), true, text);
    for (const text of others) assert.equal(compileWordGlob(pattern)(text), false, text);
  });
}

test('hostile patterns on long texts come to an end', () => {
  const text = 'a '.repeat(30_000);
  const patterns = [
    '*a'.repeat(100),
    '?'.repeat(MAX_GLOB_LENGTH),
    'a*'.repeat(100),
    '*a?'.repeat(60),
  ];
  for (const pattern of patterns) {
    assert.equal(compileGlob(`${pattern}b`.slice(-MAX_GLOB_LENGTH))(text), false);
    assert.equal(compileWordGlob(`${pattern}b`.slice(-MAX_GLOB_LENGTH))(text), false);
  }
});

test('a very long text is searched at its beginning', () => {
  const before = 'x '.repeat(MAX_SEARCHED_LENGTH / 2 - 10);
  assert.equal(compileWordGlob('found')(`${before}found${' x'.repeat(60_000)}`), true);
  assert.equal(compileWordGlob('found')(`${before}${' x'.repeat(60_000)} found`), false);
});

test('patterns beyond the limit match nothing, and the cache forgets without harm', () => {
  const long = 'a'.repeat(MAX_GLOB_LENGTH + 1);
  assert.equal(compileGlob(long)(long), false);
  for (let i = 0; i < 5_000; i++) assert.equal(compileGlob(`x${i}*`)(`x${i}y`), true);
});
