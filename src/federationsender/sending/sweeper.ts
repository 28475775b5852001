// From time to time: what has been sent to everybody is deleted, and destinations that have been away for too long keep
// only the names of the rooms of which they miss events.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import { selectToCollapse } from '../store/destinations.ts';
import { deleteSentPdus } from '../store/queue.ts';
import { collapse } from './collapse.ts';
import { MAX_BACKLOG, PATIENCE_MS } from './failure.ts';

const INTERVAL_MS = 60_000;
/** Of the intervals, one in so many deletes events. */
const DELETED_EVERY = 10;
const COLLAPSED_AT_ONCE = 50;
const DELETED_AT_ONCE = 500;

export interface SweeperOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  #cancel: () => void = () => {};
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;
  #count = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.schedule(INTERVAL_MS, () => {
      this.#sweeping = this.#sweep();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    this.#count += 1;
    try {
      await this.#collapse();
      if (this.#count % DELETED_EVERY === 0) await this.#deleteSent();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'queues of other servers could not be tidied');
    }
    this.start();
  }

  async #collapse(): Promise<void> {
    const { database, clock } = this.#options;
    for (;;) {
      const ids = await selectToCollapse(database, {
        failingBefore: clock.now() - PATIENCE_MS,
        backlog: MAX_BACKLOG,
        limit: COLLAPSED_AT_ONCE,
      });
      for (const id of ids) await collapse(database, id);
      if (ids.length < COLLAPSED_AT_ONCE || this.#closed) return;
    }
  }

  async #deleteSent(): Promise<void> {
    const { database } = this.#options;
    for (let after = 0; !this.#closed; ) {
      const range = { after, limit: DELETED_AT_ONCE };
      const last = await database.transact((tx) => deleteSentPdus(tx, range));
      if (last === undefined) return;
      after = last;
    }
  }
}
