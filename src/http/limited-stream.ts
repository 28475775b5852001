// The bytes of a body that is not held in memory, up to a limit.

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
