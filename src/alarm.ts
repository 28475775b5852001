// One timer for whatever is due next, however much there is.

import type { Clock } from './clock.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #isClosed = false;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings then, in ms since the epoch, unless it rings before that: who is rung for sees what is due next. */
  set(at: number): void {
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.schedule(Math.max(at - this.#clock.now(), 0), () => {
      this.#timer = undefined;
      this.#ring();
    });
    this.#timer = { at, cancel };
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Never rings again. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }
}
