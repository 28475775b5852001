// Deletes what is left of purged rooms, some rows at a time, so that nobody waits for it. Goes on after a restart.

import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import {
  deletePurge,
  deleteSomeEvents,
  deleteSomeNodes,
  insertPurge,
  selectPurges,
} from '../store/purges.ts';

const ROWS_AT_ONCE = 500;
/** Readers of the event log may still ask for states of the room when they are a little late. */
const SWEEP_AFTER_MS = 30_000;

export interface PurgeSweeperOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Caches may hold what has been deleted. */
  readonly onSwept: () => void;
}

export class PurgeSweeper {
  readonly #options: PurgeSweeperOptions;
  /** When their rows may go. */
  readonly #due = new Map<RoomId, number>();
  #sweep: Promise<void> | undefined;
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: PurgeSweeperOptions) {
    this.#options = options;
  }

  /** Takes up what a restart has left. */
  async start(): Promise<void> {
    for (const roomId of await selectPurges(this.#options.database)) this.#await(roomId);
  }

  /** Whether rows are left of the room: it cannot be made anew until they are gone. */
  isSweeping(roomId: RoomId): boolean {
    return this.#due.has(roomId);
  }

  /** To be run in the transaction in which the room goes. */
  async add(tx: Transaction, roomId: RoomId): Promise<void> {
    await insertPurge(tx, roomId);
    tx.afterCommit(() => this.#await(roomId));
  }

  /** Resolves when nothing is being deleted. */
  async idle(): Promise<void> {
    await this.#sweep;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    await this.#sweep;
  }

  #await(roomId: RoomId): void {
    this.#due.set(roomId, this.#options.clock.now() + SWEEP_AFTER_MS);
    this.#setTimer();
  }

  #setTimer(): void {
    this.#cancelTimer();
    if (this.#isClosed || this.#sweep !== undefined || this.#due.size === 0) return;
    const wait = Math.min(...this.#due.values()) - this.#options.clock.now();
    this.#cancelTimer = this.#options.clock.schedule(wait, () => {
      this.#sweep = this.#sweepDue();
    });
  }

  async #sweepDue(): Promise<void> {
    const { clock, logger } = this.#options;
    for (const [roomId, due] of this.#due) {
      if (due > clock.now()) continue;
      try {
        await this.#sweepRoom(roomId);
      } catch (error) {
        logger.error({ roomId, err: error }, 'the rows of a purged room could not be deleted');
        this.#due.set(roomId, clock.now() + SWEEP_AFTER_MS);
      }
      if (this.#isClosed) break;
    }
    this.#sweep = undefined;
    this.#setTimer();
  }

  async #sweepRoom(roomId: RoomId): Promise<void> {
    const { database, onSwept } = this.#options;
    for (const deleteSome of [deleteSomeEvents, deleteSomeNodes]) {
      let deleted = ROWS_AT_ONCE;
      while (deleted === ROWS_AT_ONCE) {
        if (this.#isClosed) return;
        deleted = await database.transact((tx) => deleteSome(tx, roomId, ROWS_AT_ONCE));
      }
    }
    await database.transact((tx) => deletePurge(tx, roomId));
    onSwept();
    this.#due.delete(roomId);
  }
}
