// Media for another server: a `multipart/mixed` body of two parts, metadata (as yet none) and the bytes.

import { randomUUID } from 'node:crypto';
import { pipeline, Transform } from 'node:stream';
import { contentDisposition } from '../http/content-disposition.ts';
import { type Reply, reply } from '../http/reply.ts';
import type { MediaFile } from '../mediaserver/api.ts';

export function mixedReply({ contentType, fileName, size, body }: MediaFile): Reply {
  // Nobody who uploads can know it.
  const boundary = randomUUID();
  const head = [
    `--${boundary}`,
    'Content-Type: application/json',
    '',
    '{}',
    `--${boundary}`,
    `Content-Type: ${contentType}`,
    `Content-Disposition: ${contentDisposition(contentType, fileName)}`,
    '',
    '',
  ].join('\r\n');
  const tail = `\r\n--${boundary}--\r\n`;
  const parts = new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    flush: (done) => done(null, tail),
  });
  parts.push(head);
  // Whoever reads learns of errors; either end closes the other.
  pipeline(body, parts, () => {});
  return reply({
    headers: {
      'content-type': `multipart/mixed; boundary=${boundary}`,
      'content-length': String(Buffer.byteLength(head) + size + Buffer.byteLength(tail)),
    },
    body: parts,
  });
}
