// Writes the batches of all rooms: those that are ready at the same time share one transaction and its statements.

import { type Database, DatabaseError, type Transaction } from '../../database/database.ts';
import type { EventLog, LogTicket } from '../../eventlog/eventlog.ts';
import type { TransactionIds } from '../store/transactions.ts';
import type { DraftBatch } from './draft-batch.ts';
import { writeBatches } from './write-batches.ts';

/** SQLite has one writer, which gathers by itself; PostgreSQL overlaps the round trips of two transactions. */
const MAX_TRANSACTIONS = { sqlite: 1, postgres: 2 } as const;

export interface CommitWriterOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly now: () => number;
  readonly transactionIds: TransactionIds;
}

interface Ready {
  readonly batch: DraftBatch;
  /** Runs after COMMIT, before anybody is told. */
  readonly effect: () => void;
  readonly resolve: (ticket: LogTicket | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class CommitWriter {
  readonly #options: CommitWriterOptions;
  readonly #ready: Ready[] = [];
  #running = 0;

  constructor(options: CommitWriterOptions) {
    this.#options = options;
  }

  /** Resolves after COMMIT with the ticket of the log entries; rejects when nothing was written. */
  write(batch: DraftBatch, effect: () => void): Promise<LogTicket | undefined> {
    return new Promise((resolve, reject) => {
      this.#ready.push({ batch, effect, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    if (this.#ready.length === 0) return;
    if (this.#running >= MAX_TRANSACTIONS[this.#options.database.engine]) return;
    this.#running++;
    void this.#writeReady().finally(() => {
      this.#running--;
      this.#start();
    });
  }

  async #writeReady(): Promise<void> {
    let group: Ready[] = [];
    try {
      const ticket = await this.#options.database.transact((tx) => {
        // Taken as late as possible, for others may have become ready; a body that is run again has its group.
        if (group.length === 0) group = this.#ready.splice(0);
        return this.#write(tx, group);
      });
      for (const { resolve } of group) resolve(ticket);
    } catch (error) {
      if (group.length === 0) group = this.#ready.splice(0);
      await this.#giveUp(group, error);
    }
  }

  /** One batch that cannot be written must not take the others with it. */
  async #giveUp(group: readonly Ready[], error: unknown): Promise<void> {
    const isLost = error instanceof DatabaseError && error.kind === 'unavailable';
    if (isLost || group.length === 1) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const ready of group) {
      await this.#options.database
        .transact((tx) => this.#write(tx, [ready]))
        .then(ready.resolve, ready.reject);
    }
  }

  async #write(tx: Transaction, group: readonly Ready[]): Promise<LogTicket | undefined> {
    const batches = group.map(({ batch }) => batch);
    const { now, transactionIds } = this.#options;
    await writeBatches(tx, batches, () => transactionIds.next(now()));
    const entries = batches.flatMap((batch) =>
      batch.changes.entries.map((entry) => ({ key: batch.head.roomId, entry })),
    );
    for (const { effect } of group) tx.afterCommit(effect);
    if (entries.length === 0) return undefined;
    return this.#options.eventLog.append(tx, 'roomserver.output', entries);
  }
}
