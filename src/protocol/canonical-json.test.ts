import assert from 'node:assert/strict';
import { test } from 'node:test';
import vectors from '../../test/vectors/canonical-json.json' with { type: 'json' };
import { encodeCanonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import { parseJsonExactly } from './json.ts';

const strict = (value: JsonValue) => encodeCanonicalJson(value, { strict: true });
const lenient = (value: JsonValue) => encodeCanonicalJson(value, { strict: false });

for (const { json, canonical } of vectors.examples) {
  test(`the specification's example ${canonical.slice(0, 40)}`, () => {
    assert.equal(strict(JSON.parse(json)), canonical);
  });
}

test('keys are in order of code points, not of UTF-16 units', () => {
  // U+FF5E is one unit above the surrogates, U+1F600 two units that begin with one.
  assert.equal(
    strict({ '\u{1f600}': 1, '\uff5e': 2, a: 3, '\u{1f600}a': 4 }),
    '{"a":3,"\uff5e":2,"\u{1f600}":1,"\u{1f600}a":4}',
  );
});

test('keys that look like integers are sorted as text', () => {
  assert.equal(
    strict({ 2: 'b', 10: 'a', '01': 'c', '': 'd' }),
    '{"":"d","01":"c","10":"a","2":"b"}',
  );
});

test('undefined members are left out, __proto__ is a key like any other', () => {
  assert.equal(strict({ b: undefined, a: [null] }), '{"a":[null]}');
  assert.equal(strict({ b: undefined }), '{}');
  assert.equal(strict(JSON.parse('{"z":{},"__proto__":{"a":1}}')), '{"__proto__":{"a":1},"z":{}}');
});

test('strings have the shortest escapes', () => {
  assert.equal(
    strict('\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028é'),
    '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f\u2028é"',
  );
});

test('lone surrogates have no canonical form, text that looks like their escape has', () => {
  for (const text of ['\ud800', 'a\udfff', '\\\ud83d', '\udc00\ud800']) {
    for (const value of [text, [text], { a: text }, { [text]: 1 }]) {
      assert.throws(() => strict(value), { errcode: 'M_BAD_JSON' });
      assert.throws(() => lenient(value), { errcode: 'M_BAD_JSON' });
    }
  }
  assert.equal(strict('\\ud800'), '"\\\\ud800"');
  assert.equal(strict('\u{1f600}\\ud800'), '"\u{1f600}\\\\ud800"');
});

test('strict: integers within ±(2^53-1) only', () => {
  assert.equal(
    strict([9007199254740991, -9007199254740991, 0, -0]),
    '[9007199254740991,-9007199254740991,0,0]',
  );
  for (const source of [
    '9007199254740992',
    '9007199254740993',
    '1e400',
    '-1e400',
    '0.5',
    '1.0',
    '1e2',
    '-0',
    '1E2',
  ]) {
    assert.throws(() => strict(parseJsonExactly(`[${source}]`)), { errcode: 'M_BAD_JSON' }, source);
  }
  assert.throws(() => strict(0.5), { errcode: 'M_BAD_JSON' });
  assert.throws(() => strict({ a: [{ b: Number.NaN }] }), { errcode: 'M_BAD_JSON' });
});

test('lenient: numbers as they stand in their source', () => {
  const text = '[-0,0.50,1.0,123456789012345678901234567890,1e400,1e-7]';
  assert.equal(lenient(parseJsonExactly(text)), text);
  assert.equal(lenient(0.5), '0.5');
  assert.throws(() => lenient(Number.POSITIVE_INFINITY), { errcode: 'M_BAD_JSON' });
});
