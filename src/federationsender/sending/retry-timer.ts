// One timer for all destinations that are to be tried again, however many they are.

import { Alarm } from '../../alarm.ts';
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
  readonly #alarm: Alarm;
  #closed = false;

  constructor(options: RetryTimerOptions, wake: (destinationIds: readonly number[]) => void) {
    this.#options = options;
    this.#wake = wake;
    this.#alarm = new Alarm(options.clock, () => this.rouse());
  }

  /** Some destination is due then; ms since the epoch. */
  consider(dueAt: number): void {
    this.#alarm.set(dueAt);
  }

  /** Looks for those that are due now, and when the next one is. */
  rouse(): void {
    this.#alarm.clear();
    if (this.#closed) return;
    this.#look().catch((error) => {
      this.#options.logger.warn({ err: error }, 'destinations to be tried again were not found');
      this.consider(this.#options.clock.now() + PAUSE_MS);
    });
  }

  close(): void {
    this.#closed = true;
    this.#alarm.close();
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
