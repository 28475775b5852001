// What is written of failures, of many at once and by few statements: where hundreds of servers are dead, a COMMIT for each attempt would hold up
// all that others write.

import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { type Failure, updateFailed, updateStrangersCatchingUp } from '../store/destinations.ts';

/** ms that a failure waits for others; nobody waits for it. */
const GATHERED_MS = 250;
/** In one unit of work. */
const MAX_AT_ONCE = 50;

type Body = (tx: Transaction) => Promise<void>;

interface Batch {
  readonly failures: Failure[];
  /** What else is to be written of some of them. */
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

  /** Resolves after COMMIT. Who has never answered is to catch up from then on. `body`: for what else is to be written. */
  write(failure: Failure, body?: Body): Promise<void> {
    const batch = this.#open ?? this.#begin();
    batch.failures.push(failure);
    if (body !== undefined) batch.bodies.push(body);
    if (batch.failures.length === MAX_AT_ONCE) this.#open = undefined;
    return batch.written;
  }

  #begin(): Batch {
    const { timers } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const batch: Batch = { failures: [], bodies: [], written: promise };
    timers.schedule(GATHERED_MS, () => {
      if (this.#open === batch) this.#open = undefined;
      resolve(this.#write(batch));
    });
    this.#open = batch;
    return batch;
  }

  #write({ failures, bodies }: Batch): Promise<void> {
    return this.#options.database.transact(async (tx) => {
      await updateFailed(tx, failures);
      const ids = failures.map(({ id }) => id);
      await updateStrangersCatchingUp(tx, ids);
      for (const body of bodies) await body(tx);
    });
  }
}
