// Deletes what is left of purged rooms, some rows at a time, so that nobody waits for it. Goes on after a restart.

import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import { DELETIONS, deletePurge, insertPurge, type Purge, selectPurges } from '../store/purges.ts';

const ROWS_AT_ONCE = 500;
/** After a failure; ms. */
const PAUSE_MS = 30_000;

export interface PurgedRoomsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class PurgedRooms {
  readonly #options: PurgedRoomsOptions;
  #sweep: Promise<void> | undefined;
  #cancelRetry: () => void = () => {};
  #isClosed = false;

  constructor(options: PurgedRoomsOptions) {
    this.#options = options;
  }

  /** Takes up what a restart has left. */
  start(): void {
    this.#go();
  }

  /** To be run in the transaction in which the room goes. */
  async add(tx: Transaction, purge: Purge): Promise<void> {
    await insertPurge(tx, purge);
    tx.afterCommit(() => this.#go());
  }

  /** Resolves when nothing is being deleted. */
  async idle(): Promise<void> {
    await this.#sweep;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    await this.#sweep;
  }

  #go(): void {
    if (this.#isClosed) return;
    this.#sweep = (this.#sweep ?? Promise.resolve()).then(() => this.#sweepAll());
  }

  async #sweepAll(): Promise<void> {
    const { database, clock, logger } = this.#options;
    try {
      for (const purge of await selectPurges(database)) await this.#sweepRoom(purge);
    } catch (error) {
      logger.error({ err: error }, 'the rows of purged rooms could not be deleted');
      this.#cancelRetry();
      if (!this.#isClosed) this.#cancelRetry = clock.schedule(PAUSE_MS, () => this.#go());
    }
  }

  async #sweepRoom(purge: Purge): Promise<void> {
    const { database } = this.#options;
    for (const deleteSome of DELETIONS) {
      let deleted = ROWS_AT_ONCE;
      while (deleted === ROWS_AT_ONCE) {
        if (this.#isClosed) return;
        deleted = await database.transact((tx) => deleteSome(tx, purge, ROWS_AT_ONCE));
      }
    }
    await database.transact((tx) => deletePurge(tx, purge));
  }
}
