// The one writer of a SQLite database. Units run strictly one after another, each but the first of a group under its
// own savepoint, and share a COMMIT with those that arrived meanwhile; nobody is told anything before it is durable.

import type { Row, Transaction } from './database.ts';
import { DatabaseError } from './database.ts';
import type { Sql } from './sql.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Bounds how long the event loop is held, and how many units fall with one failing COMMIT. */
const MAX_UNITS_PER_COMMIT = 64;

export interface GroupCommitHooks {
  /** Asked before a group begins: its units fail with what this throws. */
  readonly checkUsable: () => void;
  /** Awaited before every COMMIT; a rejection makes the COMMIT fail. */
  readonly beforeCommit?: (() => Promise<void>) | undefined;
  /** COMMIT; resolves once it is durable. */
  readonly commit: () => Promise<void>;
  /** Called between groups, outside any transaction. Must not throw. */
  readonly afterGroup: () => void;
}

/** How a unit ended, told once the COMMIT is durable or has failed. */
interface Outcome {
  readonly commit: () => void;
  readonly rollBack: (error: unknown) => void;
}

interface Unit {
  readonly body: (tx: Transaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit {
  readonly #writer: SqliteConnection;
  readonly #hooks: GroupCommitHooks;
  readonly #queue: Unit[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(writer: SqliteConnection, hooks: GroupCommitHooks) {
    this.#writer = writer;
    this.#hooks = hooks;
  }

  run<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) throw new DatabaseError('unavailable', 'the database is closed');
      this.#queue.push({ body, resolve: resolve as Unit['resolve'], reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses new units and waits for those that are queued. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // After two turns of the event loop: those who were answered for the last COMMIT may have asked anew, and share the next.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      await this.#runGroup(this.#queue);
      this.#hooks.afterGroup();
    }
    this.#draining = undefined;
  }

  async #runGroup(queue: Unit[]): Promise<void> {
    const outcomes: Outcome[] = [];
    try {
      this.#hooks.checkUsable();
      this.#writer.control('BEGIN IMMEDIATE');
      for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
        await this.#runUnit(unit, outcomes);
        if (outcomes.length === MAX_UNITS_PER_COMMIT) break;
      }
      await this.#hooks.beforeCommit?.();
      await this.#hooks.commit();
    } catch (cause) {
      const error = this.#rollBack(cause);
      for (const outcome of outcomes) outcome.rollBack(error);
      // Where BEGIN itself failed, those that wait would only meet the same failure in turn.
      if (outcomes.length === 0) for (const unit of queue.splice(0)) unit.reject(error);
      return;
    }
    for (const outcome of outcomes) outcome.commit();
  }

  /** Adds the outcome; throws when the whole transaction is lost. */
  async #runUnit(unit: Unit, outcomes: Outcome[]): Promise<void> {
    const tx = new SqliteTransaction(this.#writer);
    const rollBack = (error: unknown) => settle(unit, tx.undone, () => unit.reject(error));
    const at = outcomes.push({ commit: () => {}, rollBack }) - 1;
    // For a savepoint every page that is changed is copied, which the first unit, mostly the only one, can do without.
    const hasSavepoint = at > 0;
    if (hasSavepoint) this.#writer.control('SAVEPOINT unit');
    try {
      const value = await unit.body(tx);
      tx.finish();
      if (hasSavepoint) this.#writer.control('RELEASE unit');
      outcomes[at] = { commit: () => settle(unit, tx.done, () => unit.resolve(value)), rollBack };
    } catch (error) {
      tx.abandon();
      // After some errors (disk full, I/O) SQLite itself has undone everything, the other units included.
      if (!this.#writer.isTransaction) throw error;
      this.#undo(hasSavepoint);
      // What the unit saw may be lost with the COMMIT, so its refusal waits too.
      outcomes[at] = { commit: () => rollBack(error), rollBack };
    }
  }

  /** Takes back what the unit did, and it alone. */
  #undo(hasSavepoint: boolean): void {
    this.#writer.control(hasSavepoint ? 'ROLLBACK TO unit' : 'ROLLBACK');
    this.#writer.control(hasSavepoint ? 'RELEASE unit' : 'BEGIN IMMEDIATE');
  }

  #rollBack(cause: unknown): DatabaseError {
    try {
      if (this.#writer.isTransaction) this.#writer.control('ROLLBACK');
    } catch (rollbackError) {
      cause = new AggregateError([cause, rollbackError], 'COMMIT and ROLLBACK failed');
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new DatabaseError('unavailable', `COMMIT failed: ${reason}`, { cause });
  }
}

function settle(unit: Unit, effects: readonly (() => void)[], tell: () => void): void {
  try {
    for (const effect of effects) effect();
    tell();
  } catch (error) {
    // Memory no longer agrees with the disk; the caller must not take that for success.
    unit.reject(error);
  }
}

class SqliteTransaction implements Transaction {
  readonly #writer: SqliteConnection;
  readonly done: (() => void)[] = [];
  readonly undone: (() => void)[] = [];
  #over = false;
  #error: unknown;

  constructor(writer: SqliteConnection) {
    this.#writer = writer;
  }

  async all<T extends object = Row>(query: Sql): Promise<T[]> {
    return this.#attempt(() => this.#writer.all(query)) as T[];
  }

  async get<T extends object = Row>(query: Sql): Promise<T | undefined> {
    return this.#attempt(() => this.#writer.get(query)) as T | undefined;
  }

  async run(query: Sql): Promise<number> {
    const step = this.#attempt(() => this.#writer.stepwise(query));
    for (;;) {
      const changed = this.#attempt(step);
      if (changed !== undefined) return changed;
      // Very many rows: who reads what is committed need not wait for them.
      await new Promise(setImmediate);
    }
  }

  afterCommit(effect: () => void): void {
    this.done.push(effect);
  }

  afterRollback(effect: () => void): void {
    this.undone.push(effect);
  }

  /** Ends the unit; as on PostgreSQL, a statement that failed fails the unit even when its error was caught. */
  finish(): void {
    this.#over = true;
    if (this.#error !== undefined) throw this.#error;
  }

  abandon(): void {
    this.#over = true;
  }

  #attempt<R>(action: () => R): R {
    if (this.#over) throw new DatabaseError('other', 'the unit of work is over');
    if (this.#error !== undefined) throw this.#error;
    try {
      return action();
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }
}
