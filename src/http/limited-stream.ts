// The bytes of a body that is not held in memory, up to a limit.

import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { MatrixError } from '../protocol/error.ts';

export function tooLarge(maxBytes: number): MatrixError {
  return new MatrixError('M_TOO_LARGE', `The body is larger than ${maxBytes} bytes`);
}

/** Errors with M_TOO_LARGE at the first byte beyond `maxBytes`. */
export function limitedStream(source: Readable, maxBytes: number): Readable {
  let received = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
  // Who reads it learns of errors all the same; where nobody does, an unheard 'error' would end the process.
  limited.on('error', () => {});
  source.on('error', (error) => limited.destroy(error));
  source.on('aborted', () => limited.destroy(new Error('the client went away')));
  return source.pipe(limited);
}

/** As `limitedStream`, chunk by chunk; `onEnd` is told of how much was read. The source stays open: an answer is to follow. */
export async function* limitedChunks(
  source: IncomingMessage,
  maxBytes: number,
  onEnd: (bytes: number) => void,
): AsyncGenerator<Buffer, undefined> {
  let received = 0;
  try {
    if (Number(source.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      received += chunk.length;
      if (received > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } finally {
    onEnd(received);
  }
}
