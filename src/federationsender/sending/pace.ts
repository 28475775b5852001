// How fast those begin of whom hundreds may be dead: few at a time, so that what else there is to do gets its turn between.

import type { Clock } from '../../clock.ts';

/** Each costs about a millisecond: a transaction is signed, a connection opened. */
const AT_ONCE = 4;
const EVERY_MS = 16;

export interface PaceOptions {
  /** Work takes real time, whatever clock a test has. */
  readonly timers: Clock;
  /** After a refusal: the next ones may begin. */
  readonly onReady: () => void;
}

export class Pace {
  readonly #options: PaceOptions;
  #left = AT_ONCE;
  #wasRefused = false;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Whether one more may begin now. */
  take(): boolean {
    if (this.#left === 0) {
      this.#wasRefused = true;
      return false;
    }
    if (this.#left === AT_ONCE) this.#options.timers.schedule(EVERY_MS, () => this.#renew());
    this.#left -= 1;
    return true;
  }

  #renew(): void {
    this.#left = AT_ONCE;
    if (!this.#wasRefused) return;
    this.#wasRefused = false;
    this.#options.onReady();
  }
}
