import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, isRawNumber, parseJsonExactly, rawNumber } from './json.ts';

test('numbers that a double carries exactly are plain numbers', () => {
  const text = '{"a":[0,-1,9007199254740991,-9007199254740991,12345],"b":"1.0","c":"x: 1.5, -0"}';
  assert.deepEqual(parseJsonExactly(text), JSON.parse(text));
});

const EXACT = ['1.0', '-0', '-0.0', '1e400', '-1e400', '1e5', '1E5', '1.50', '0.1', '5e-324'];
const BIG = ['9007199254740992', '-9007199254740993', '9223372036854775807', '1'.repeat(400)];

for (const source of [...EXACT, ...BIG]) {
  test(`${source.slice(0, 20)} keeps its source text`, () => {
    for (const text of [source, `[${source}]`, `{"a":${source}}`, `{"a":[1,${source}]}`]) {
      assert.equal(JSON.stringify(parseJsonExactly(text)), text);
    }
    assert.equal(JSON.stringify(parseJsonExactly(`[1, ${source}\n]`)), `[1,${source}]`);
    assert.equal(isRawNumber(parseJsonExactly(` ${source}`)), true);
  });
}

test('a text survives being stored and read any number of times', () => {
  const text = '{"depth":9223372036854775807,"content":{"users":{"@a:b":50.570,"@c:d":-0}}}';
  const once = JSON.stringify(parseJsonExactly(text));
  assert.equal(once, text);
  assert.equal(JSON.stringify(parseJsonExactly(once)), text);
});

test('a raw number is no object, array or null neither', () => {
  assert.equal(isJsonObject({}), true);
  for (const other of [rawNumber('1.0'), [], null, 'a', undefined, 1]) {
    assert.equal(isJsonObject(other), false);
  }
  assert.equal(isRawNumber({ rawJSON: '1.0' }), false);
});

test('what is no JSON is refused with or without inexact numbers', () => {
  for (const text of ['', '{', '[1.0', '01', '[1.]', '.5', '+1', 'NaN', '{"a":1.0,}']) {
    assert.throws(() => parseJsonExactly(text), SyntaxError, text);
  }
});
