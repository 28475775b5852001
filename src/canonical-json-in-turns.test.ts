import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCanonicalJsonInTurns } from './canonical-json-in-turns.ts';
import { encodeCanonicalJson } from './protocol/canonical-json.ts';
import { parseJsonExactly } from './protocol/json.ts';

test('is what encoding at once gives', async () => {
  const texts = [
    '{"b": [3, 2.50, {"y": 1, "x": [1, {"d": 1, "c": 2}]}], "a": {"2": 1, "10": 2}, "\\ue000": 1, "\\ud83d\\ude00": 2}',
    '[1, [2, [3, [4]]], "text", null, true, -0, 12345678901234567890]',
    '"only text"',
    '{}',
    '[]',
  ];
  for (const text of texts) {
    const value = parseJsonExactly(text);
    assert.equal(
      Buffer.concat(await encodeCanonicalJsonInTurns(value)).toString(),
      encodeCanonicalJson(value, { strict: false }),
    );
  }
});

test('others have their turn meanwhile', async () => {
  const pdus = Array.from({ length: 2_000 }, (_, n) => ({
    n,
    content: { body: 'x'.repeat(2_000) },
  }));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const pieces = await encodeCanonicalJsonInTurns({ pdus });
  clearInterval(timer);
  assert.equal(Buffer.concat(pieces).toString(), encodeCanonicalJson({ pdus }, { strict: false }));
  assert.ok(turns > 3, `${turns} turns`);
});

test('text without a canonical form is refused', async () => {
  await assert.rejects(encodeCanonicalJsonInTurns({ a: ['\ud800'] }), { errcode: 'M_BAD_JSON' });
});
