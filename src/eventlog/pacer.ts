// When a loop goes on: it sleeps until it is roused, pauses after a failure, and ends when it is closed.

import type { Clock } from '../clock.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5000;

export class Pacer {
  readonly #clock: Clock;
  #roused = false;
  #closed = false;
  #pauseMs = FIRST_PAUSE_MS;
  #wake: () => void = () => {};
  #interrupt: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** There may be something to do: ends a sleep, or the next one at once. */
  rouse(): void {
    this.#roused = true;
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.rouse();
    this.#interrupt();
  }

  /** Call before looking for something to do: what rouses from here on counts for the next `sleep`. */
  look(): void {
    this.#roused = false;
  }

  sleep(): Promise<void> {
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#roused || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The time that the next `pause` takes, ms: it doubles until the loop comes to rest in `sleep`. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  pause(): Promise<void> {
    const delayMs = this.#pauseMs;
    this.#pauseMs = Math.min(delayMs * 2, MAX_PAUSE_MS);
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(delayMs, resolve);
      this.#interrupt = () => {
        cancel();
        resolve();
      };
    });
  }
}
