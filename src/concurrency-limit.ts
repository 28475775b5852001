// Bounds work that is too heavy to be done for everybody at once: password hashes, thumbnails.

import { MatrixError } from './protocol/error.ts';

export interface ConcurrencyLimitOptions {
  readonly running: number;
  /** More than this many waiting tasks are refused. */
  readonly waiting: number;
}

export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
  }

  /** Runs the task when its turn comes, first come, first served. Throws M_LIMIT_EXCEEDED when too many wait. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#options.running) {
      this.#running += 1;
      return;
    }
    if (this.#queue.length >= this.#options.waiting) {
      throw new MatrixError('M_LIMIT_EXCEEDED', 'The server is busy', { retry_after_ms: 2000 });
    }
    // The one who leaves hands its place over, so `#running` does not change.
    await new Promise<void>((enter) => this.#queue.push(enter));
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
