import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../test/seeded-random.ts';
import { parseForeignJsonInTurns } from './json-in-turns.ts';
import { parseForeignJson } from './protocol/json-checks.ts';

const random = seededRandom(7);
const below = (n: number) => Math.floor(random() * n);

/** JSON text of any shape, with blanks in it. */
function anyJson(depth: number): string {
  const blank = () => ['', '', ' ', '\n\t'][below(4)] ?? '';
  const kind = depth === 0 ? below(4) : below(7);
  const items = Array.from({ length: kind < 4 ? 0 : below(6) }, () => anyJson(depth - 1));
  // None ends with a backslash: V8 14.6 then takes `"b\u0061"` for the key `b\`, where it meets that afterwards.
  const keys = ['"a"', '"b\\u0061"', '"__proto__"', '"1"', '"],{"', '"b\\","'];
  const members = items.map(
    (item) => `${blank()}${keys[below(keys.length)]}${blank()}:${blank()}${item}`,
  );
  return `{${members.join(`${blank()},`)}${blank()}}${blank()}`;
}

async function outcome(parse: () => unknown): Promise<string> {
  try {
    return JSON.stringify(await parse());
  } catch (error) {
    return `${(error as { errcode?: string }).errcode}`;
  }
}

test('gives what parsing at once gives, whatever the size of the pieces', async () => {
  for (let n = 0; n < 1_000; n += 1) {
    const text = anyJson(5);
    const whole = await outcome(() => parseForeignJson(text));
    for (const size of [1, 7, 40])
      assert.equal(await outcome(() => parseForeignJsonInTurns(text, size)), whole, text);
  }
});

test('refuses what is none, as parsing at once does', async () => {
  for (let n = 0; n < 2_000; n += 1) {
    const good = anyJson(4);
    const at = below(good.length);
    const wrong = ['', ',', '[', ']', '{', '}', '"', ':', ' ', 'x'][below(10)] ?? '';
    const text = `${good.slice(0, at)}${wrong}${good.slice(at + below(2))}`;
    const whole = await outcome(() => parseForeignJson(text));
    for (const size of [1, 9])
      assert.equal(await outcome(() => parseForeignJsonInTurns(text, size)), whole, text);
  }
});

test('a key that would set a prototype is a key like others', async () => {
  const parsed = await parseForeignJsonInTurns('{"__proto__": {"a": 1}, "b": [1, 2, 3]}', 4);
  assert.deepEqual(Object.keys(parsed as object), ['__proto__', 'b']);
  assert.equal((parsed as { a?: number }).a, undefined);
});

test('others have their turn while a large text is parsed', async () => {
  const event = JSON.stringify({ type: 'm.room.member', content: { body: 'x'.repeat(500) } });
  const text = `[200, {"state": [${Array(20_000).fill(event).join()}], "auth_chain": []}]`;
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const parsed = (await parseForeignJsonInTurns(text)) as [number, { state: object[] }];
  clearInterval(timer);
  assert.equal(parsed[1].state.length, 20_000);
  assert.ok(turns > 5, `${turns} turns`);
});
