// What is written of failures, of many at once: where hundreds of servers are dead, a COMMIT for each attempt would hold up
// all that others write.

import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';

/** ms that a failure waits for others; nobody waits for it. */
const GATHERED_MS = 250;
/** In one unit of work. */
const MAX_AT_ONCE = 50;

type Body = (tx: Transaction) => Promise<void>;

interface Batch {
  readonly bodies: Body[];
  readonly written: Promise<void>;
}

export interface FailureBatchesOptions {
  readonly database: Database;
  /** Failures come in real time, whatever clock a test has. */
  readonly timers: Clock;
}

export class FailureBatches {
  readonly #options: FailureBatchesOptions;
  #open: Batch | undefined;

  constructor(options: FailureBatchesOptions) {
    this.#options = options;
  }

  /** Resolves after COMMIT. */
  write(body: Body): Promise<void> {
    const batch = this.#open ?? this.#begin();
    batch.bodies.push(body);
    if (batch.bodies.length === MAX_AT_ONCE) this.#open = undefined;
    return batch.written;
  }

  #begin(): Batch {
    const { database, timers } = this.#options;
    const bodies: Body[] = [];
    const gathered = new Promise<void>((resolve) => timers.schedule(GATHERED_MS, resolve));
    const written = gathered.then(() => {
      if (this.#open?.bodies === bodies) this.#open = undefined;
      return database.transact(async (tx) => {
        for (const body of bodies) await body(tx);
      });
    });
    this.#open = { bodies, written };
    return this.#open;
  }
}
