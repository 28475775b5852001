import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentDisposition } from '../../http/content-disposition.ts';
import { boundaryOf, describedFile } from './described-file.ts';

const described = (type: string | undefined, disposition?: string) =>
  describedFile((name) => (name === 'content-type' ? type : disposition));

test('boundaries are read, and nonsense is none', () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    ['multipart/mixed; boundary=abc', 'abc'],
    ['Multipart/Mixed;charset=x;Boundary="a b:c"', 'a b:c'],
    ['multipart/mixed; boundary=a; boundary=b', 'a'],
    [undefined, undefined],
    ['multipart/mixed', undefined],
    ['multipart/mixed; boundary=', undefined],
    ['multipart/mixed; boundary=""', undefined],
    ['multipart/mixed; boundary="a "', undefined],
    ['multipart/mixed; boundary="a\\\r"', undefined],
    [`multipart/mixed; boundary=${'a'.repeat(71)}`, undefined],
    ['multipart/form-data; boundary=abc', undefined],
    ['text/html; x="multipart/mixed; boundary=abc"', undefined],
  ];
  for (const [type, boundary] of cases) assert.equal(boundaryOf(type), boundary, `${type}`);
});

test('content types that are none are dropped', () => {
  for (const type of ['image/png', 'text/plain; charset=utf-8', 'text/plain;a=" b"']) {
    assert.equal(described(type).contentType, type);
  }
  for (const type of [
    undefined,
    '',
    'png',
    'image/png\r\nx: y',
    'image/p\u00e9g',
    'a/b c',
    `a/${'b'.repeat(255)}`,
  ]) {
    assert.equal(described(type).contentType, undefined, `${type}`);
  }
});

test('file names come back as they were told', () => {
  for (const name of [
    'dot.png',
    'two words.pdf',
    'a;b"c\\d',
    "caf\u00e9 '(1)*",
    'a=b; filename=c',
  ]) {
    const disposition = contentDisposition('image/png', name);
    assert.equal(described(undefined, disposition).fileName, name);
  }
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, undefined],
    ['inline', undefined],
    ['inline; filename=""', undefined],
    [`inline; filename=${'a'.repeat(1025)}`, undefined],
    ['attachment; FILENAME=a; filename=b', 'a'],
    ["attachment; filename=a; filename*=UTF-8'en'b", 'b'],
    ["attachment; filename=a; filename*=utf-8''%ff", 'a'],
    ["attachment; filename=a; filename*=iso-8859-1''b", 'a'],
    ["attachment; filename*=utf-8''a%00b", 'ab'],
    ['filename=a', undefined],
  ];
  for (const [header, name] of cases) {
    assert.equal(described(undefined, header).fileName, name, `${header}`);
  }
});

test('headers of any length are read in no time', () => {
  const start = performance.now();
  for (const piece of [';', '; ', ';a="', ';a=', '\\"', 'a', ';a*="\\']) {
    described(piece.repeat(16_000), `x${piece.repeat(16_000)}`);
    boundaryOf(`multipart/mixed;${piece.repeat(16_000)}`);
  }
  assert.ok(performance.now() - start < 5000);
});
