// One timer for all destinations that are to be tried again, however many they are.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import { selectDueDestinations, selectNextRetry } from '../store/destinations.ts';

/** Tried again at once; those that are left come a little later. */
const MAX_DUE = 200;
const PAUSE_MS = 1_000;

export interface RetryTimerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class RetryTimer {
  readonly #options: RetryTimerOptions;
  readonly #wake: (destinationIds: readonly number[]) => void;
  #dueAt = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(options: RetryTimerOptions, wake: (destinationIds: readonly number[]) => void) {
    this.#options = options;
    this.#wake = wake;
  }

  /** Some destination is due then; ms since the epoch. */
  consider(dueAt: number): void {
    if (this.#closed || dueAt >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    const delay = Math.max(dueAt - this.#options.clock.now(), 0);
    this.#cancel = this.#options.clock.schedule(delay, () => this.rouse());
  }

  /** Looks for those that are due now, and when the next one is. */
  rouse(): void {
    this.#cancel();
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (this.#closed) return;
    this.#look().catch((error) => {
      this.#options.logger.warn({ err: error }, 'destinations to be tried again were not found');
      this.consider(this.#options.clock.now() + PAUSE_MS);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { database, clock } = this.#options;
    const now = clock.now();
    const due = await selectDueDestinations(database, now, MAX_DUE);
    const next = await selectNextRetry(database, now);
    if (this.#closed) return;
    this.#wake(due);
    if (due.length === MAX_DUE) this.consider(now + PAUSE_MS);
    if (next !== undefined) this.consider(next);
  }
}
