import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../test/seeded-random.ts';
import { JsonAsItComes, readForeignJson } from './json-as-it-comes.ts';
import { parseForeignJson } from './protocol/json-checks.ts';

const random = seededRandom(7);
const below = (n: number) => Math.floor(random() * n);

/** JSON text of any shape, with blanks in it. */
function anyJson(depth: number): string {
  const blank = () => ['', '', ' ', '\n\t'][below(4)] ?? '';
  const kind = depth === 0 ? below(4) : below(7);
  if (kind < 4) return ['1', '"a,]\\\\\\"{"', 'null', '-1.50'][kind] ?? '';
  const items = Array.from({ length: below(6) }, () => anyJson(depth - 1));
  if (kind < 6) return `[${blank()}${items.join(`${blank()},${blank()}`)}${blank()}]`;
  // None ends with a backslash: V8 14.6 then takes `"b\u0061"` for the key `b\`, where it meets that afterwards.
  const keys = ['"a"', '"b\\u0061"', '"__proto__"', '"1"', '"],{"', '"b\\","'];
  const members = items.map(
    (item) => `${blank()}${keys[below(keys.length)]}${blank()}:${blank()}${item}`,
  );
  return `{${members.join(`${blank()},`)}${blank()}}${blank()}`;
}

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch (error) {
    return `${(error as { errcode?: string }).errcode ?? error}`;
  }
}

/** In pieces of `size`, of text that comes so many characters at a time. */
function inPieces(text: string, size: number, atOnce: number): unknown {
  const parser = new JsonAsItComes({ size });
  for (let i = 0; i < text.length; i += atOnce) parser.add(text.slice(i, i + atOnce));
  return parser.end();
}

test('gives what parsing at once gives, whatever the size of the pieces', () => {
  for (let n = 0; n < 1_000; n += 1) {
    const text = anyJson(7);
    const whole = outcome(() => parseForeignJson(text));
    for (const [size, atOnce] of [
      [1, 1],
      [1, 1000],
      [7, 3],
      [40, 17],
    ] as const) {
      assert.equal(
        outcome(() => inPieces(text, size, atOnce)),
        whole,
        text,
      );
    }
  }
});

test('refuses what is none, as parsing at once does', () => {
  for (let n = 0; n < 5_000; n += 1) {
    const good = anyJson(4);
    const at = below(good.length);
    const wrong = ['', ',', '[', ']', '{', '}', '"', ':', ' ', 'x'][below(10)] ?? '';
    const text = `${good.slice(0, at)}${wrong}${good.slice(at + below(2))}`;
    const whole = outcome(() => parseForeignJson(text));
    for (const [size, atOnce] of [
      [1, 5],
      [9, 1],
    ] as const) {
      assert.equal(
        outcome(() => inPieces(text, size, atOnce)),
        whole,
        text,
      );
    }
  }
});

test('a key that would set a prototype is a key like others', () => {
  const parsed = inPieces('{"__proto__": {"a": 1}, "b": [1, 2, 3]}', 4, 2);
  assert.deepEqual(Object.keys(parsed as object), ['__proto__', 'b']);
  assert.equal((parsed as { a?: number }).a, undefined);
});

async function* chunks(text: string, count: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / count);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

test('characters may be spread over chunks, and have to be such', async () => {
  assert.deepEqual(await readForeignJson(chunks('["äöü€😀"]', 7)), ['äöü€😀']);
  assert.equal(await readForeignJson(chunks('', 1)), undefined);
  const notJson = { errcode: 'M_NOT_JSON' };
  await assert.rejects(
    readForeignJson(
      (async function* () {
        yield Buffer.from([0x22, 0xc3]);
      })(),
    ),
    notJson,
  );
  await assert.rejects(readForeignJson(chunks('\ufeff{}', 1)), notJson);
});

test('what has very many tiny values, or is very deep, is not read to its end', async () => {
  for (const text of [`[${'[],'.repeat(1_000_000)}0]`, '['.repeat(1_000_000)]) {
    let read = 0;
    const counted = async function* () {
      for await (const chunk of chunks(text, 100)) {
        read += 1;
        yield chunk;
      }
    };
    await assert.rejects(readForeignJson(counted()), { errcode: 'M_BAD_JSON' });
    assert.ok(read < 20, `${read} of 100`);
  }
});

test('others have their turn while a large text is parsed', async () => {
  const event = JSON.stringify({ type: 'm.room.member', content: { body: 'x'.repeat(500) } });
  const text = `[200, {"state": [${Array(20_000).fill(event).join()}], "auth_chain": []}]`;
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const parsed = (await readForeignJson(chunks(text, 200))) as unknown as [
    number,
    { state: object[] },
  ];
  clearInterval(timer);
  assert.equal(parsed[1].state.length, 20_000);
  assert.ok(turns > 5, `${turns} turns`);
});
