// Downloads that wait for media which has been announced but not uploaded yet.

import type { Clock } from '../clock.ts';
import type { MediaId } from '../protocol/identifiers.ts';

export interface Waiter {
  /** True when the media has been uploaded, false when time is over. */
  readonly uploaded: Promise<boolean>;
  /** Call it when done. */
  stop(): void;
}

export class UploadWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Map<MediaId, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begin to wait before looking whether it is there, or the upload may slip in between. */
  wait(mediaId: MediaId, timeoutMs: number): Waiter {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    const waiting = this.#waiting.get(mediaId) ?? new Set();
    this.#waiting.set(mediaId, waiting.add(wake));
    const cancelTimer = this.#clock.schedule(timeoutMs, () => resolve(false));
    const stop = () => {
      cancelTimer();
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(mediaId) === waiting)
        this.#waiting.delete(mediaId);
    };
    return { uploaded: promise, stop };
  }

  /** After COMMIT of the upload. */
  wake(mediaId: MediaId): void {
    for (const wake of this.#waiting.get(mediaId) ?? []) wake();
  }
}
