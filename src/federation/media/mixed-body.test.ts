import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { MalformedBodyError, readMixedBody } from './mixed-body.ts';

const HEAD = '--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b\r\n';

/** In pieces of so many bytes. */
function streamOf(text: string, size: number): Readable {
  const bytes = Buffer.from(text, 'latin1');
  const count = Math.ceil(bytes.length / size);
  const pieces = Array.from({ length: count }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
  return Readable.from(pieces, { objectMode: false });
}

async function read(text: string, size = text.length, boundary = 'b') {
  const part = await readMixedBody(streamOf(text, size), boundary);
  const chunks: Buffer[] = [];
  for await (const chunk of part.content) chunks.push(chunk);
  return { part, content: Buffer.concat(chunks).toString('latin1') };
}

test('files are read, however they are cut into pieces', async () => {
  const contents = [
    '',
    'hello',
    '\r\n',
    '\r\n--',
    '\r\n--a\r\n--',
    '\0\xff',
    '--b',
    'x\r\n-\r\n--',
  ];
  for (const content of contents) {
    const text = `${HEAD}Content-Type: text/plain\r\nX:y\r\n\r\n${content}\r\n--b--`;
    for (const size of [1, 2, 3, 7, text.length]) {
      for (const tail of ['', '\r\n', '\r\nepilogue']) {
        const { part, content: found } = await read(text + tail, size);
        assert.equal(found, content);
        assert.equal(part.header('content-type'), 'text/plain');
        assert.equal(part.header('x'), 'y');
        assert.equal(part.header('location'), undefined);
      }
    }
  }
});

test('what precedes the parts, and padding after a boundary, are skipped', async () => {
  const text = `preamble\r\n--b \t\r\nA: b\r\n\r\n{}\r\n--b\t\r\n\r\nfile\r\n--b--`;
  assert.equal((await read(text)).content, 'file');
});

test('a file that is cut off, or none, is an error', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /breaks off/],
    ['--x\r\n\r\n{}\r\n--x\r\n\r\nfile\r\n--x--', /breaks off/],
    [HEAD, /breaks off/],
    [`${HEAD}A: b\r\n`, /breaks off/],
    [`${HEAD}\r\nfile`, /breaks off/],
    [`${HEAD}\r\nfile\r\n--b`, /breaks off/],
    [`${HEAD}\r\nfile\r\n--b-`, /breaks off/],
    [`${HEAD}\r\nfile\r\n--c--`, /breaks off/],
    ['--b\r\n\r\n{}\r\n--b--\r\n', /not two parts/],
    ['--b--\r\n', /not two parts/],
    ['--bb\r\n\r\n{}\r\n--bb\r\n\r\nfile\r\n--bb--', /not two parts/],
    [`${HEAD}\r\nfile\r\n--b\r\n\r\nmore\r\n--b--`, /more than two/],
    [`${HEAD}no header\r\n\r\nfile\r\n--b--`, /no header/],
    [`${HEAD}\r\nfile\r\n--b--${'x'.repeat(2000)}`, /does not end/],
    ['x'.repeat(20_000), /does not begin/],
    [`--b\r\n\r\n${'x'.repeat(20_000)}\r\n--b\r\n\r\nfile\r\n--b--`, /does not begin/],
    [`${HEAD}${'A: b\r\n'.repeat(5000)}\r\nfile\r\n--b--`, /does not begin/],
  ];
  for (const [text, message] of cases) {
    for (const size of [100, text.length || 1]) {
      await assert.rejects(read(text, size), (error) => {
        assert.ok(error instanceof MalformedBodyError);
        assert.match(error.message, message);
        return true;
      });
    }
  }
});
