// A file of another server as a stream: whoever destroys it ends what it is read from, even while that is silent.

import { Readable } from 'node:stream';
import { AnswerTooLargeError } from '../http-exchange.ts';

export interface FileStreamOptions {
  readonly content: AsyncIterable<Buffer>;
  /** What the content is read from. */
  readonly source: Readable;
  readonly maxBytes: number;
  /** Called with every piece. */
  readonly onPiece: () => void;
  /** What the stream fails with. */
  readonly failed: (error: unknown) => Error;
  /** Called once nothing more is read. */
  readonly onEnd: () => void;
}

export class FileStream extends Readable {
  readonly #options: FileStreamOptions;
  readonly #pieces: AsyncIterator<Buffer>;
  #size = 0;

  constructor(options: FileStreamOptions) {
    super();
    this.#options = options;
    this.#pieces = options.content[Symbol.asyncIterator]();
  }

  override _read(): void {
    this.#next().catch((error) => this.destroy(this.#options.failed(error)));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.source.destroy();
    this.#options.onEnd();
    done(error);
  }

  async #next(): Promise<void> {
    const { onPiece, maxBytes } = this.#options;
    const { done, value } = await this.#pieces.next();
    if (done) {
      this.push(null);
      return;
    }
    onPiece();
    this.#size += value.length;
    if (this.#size > maxBytes) throw new AnswerTooLargeError(maxBytes);
    this.push(value);
  }
}
