import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { contentDisposition } from '../http/content-disposition.ts';
import { mediaReply } from './media-reply.ts';

test('file names in Content-Disposition', () => {
  const cases: readonly (readonly [string, string | undefined, string])[] = [
    ['image/png', undefined, 'inline'],
    ['image/png', '', 'inline'],
    ['image/png', 'dot.png', 'inline; filename=dot.png'],
    ['text/plain; charset=utf-8', 'a.txt', 'inline; filename=a.txt'],
    ['Image/PNG', 'a', 'inline; filename=a'],
    ['text/html', 'a.html', 'attachment; filename=a.html'],
    ['image/svg+xml', 'a.svg', 'attachment; filename=a.svg'],
    ['application/pdf', 'two words.pdf', 'attachment; filename="two words.pdf"'],
    ['application/pdf', 'a;b"c\\d', 'attachment; filename="a;b\\"c\\\\d"'],
    [
      'application/pdf',
      "caf\u00e9 '(1)*",
      "attachment; filename*=utf-8''caf%C3%A9%20%27%281%29%2A",
    ],
    ['application/pdf', 'a\r\nx: y', "attachment; filename*=utf-8''a%0D%0Ax%3A%20y"],
    ['application/pdf', '\ud800', "attachment; filename*=utf-8''%EF%BF%BD"],
  ];
  for (const [type, name, wanted] of cases) assert.equal(contentDisposition(type, name), wanted);
});

test('media comes with headers that keep browsers from running it', () => {
  const body = Readable.from([]);
  const file = { contentType: 'text/html', fileName: 'a.html', size: 3, body };
  const { headers = {} } = mediaReply(file, 'b.html');
  assert.equal(headers['content-disposition'], 'attachment; filename=b.html');
  assert.match(headers['content-security-policy'] ?? '', /^sandbox; default-src 'none'/);
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
  assert.equal(headers['content-length'], '3');
});
