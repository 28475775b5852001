// The one writer of a SQLite database. Units run strictly one after another, each under its own savepoint, and
// share a COMMIT with those that arrived meanwhile; nobody is told anything before that COMMIT.

import type { Row, Transaction } from './database.ts';
import { DatabaseError } from './database.ts';
import type { Sql } from './sql.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Bounds how long the event loop is held, and how many units fall with one failing COMMIT. */
const MAX_UNITS_PER_COMMIT = 64;

export interface GroupCommitHooks {
  /** Awaited before every COMMIT; a rejection makes the COMMIT fail. */
  readonly beforeCommit?: (() => Promise<void>) | undefined;
  /** Called between groups, outside any transaction. Must not throw. */
  readonly afterGroup: () => void;
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
      // After the current turn of the event loop, so that all requests that it has read share a COMMIT.
      await new Promise(setImmediate);
      await this.#runGroup(this.#queue);
      this.#hooks.afterGroup();
    }
    this.#draining = undefined;
  }

  async #runGroup(queue: Unit[]): Promise<void> {
    const group: Unit[] = [];
    const settle: (() => void)[] = [];
    try {
      this.#writer.control('BEGIN IMMEDIATE');
      for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
        group.push(unit);
        settle.push(await this.#runUnit(unit));
        if (group.length === MAX_UNITS_PER_COMMIT) break;
      }
      await this.#hooks.beforeCommit?.();
      this.#writer.control('COMMIT');
    } catch (cause) {
      // Without any unit BEGIN itself failed: those that wait would only meet the same failure in turn.
      this.#fail(group.length > 0 ? group : queue.splice(0), cause);
      return;
    }
    for (const tell of settle) tell();
  }

  /** Returns what to do after COMMIT; throws when the whole transaction is lost. */
  async #runUnit(unit: Unit): Promise<() => void> {
    this.#writer.control('SAVEPOINT unit');
    const tx = new SqliteTransaction(this.#writer);
    try {
      const value = await unit.body(tx);
      const effects = tx.finish();
      this.#writer.control('RELEASE unit');
      return () => complete(unit, value, effects);
    } catch (error) {
      tx.abandon();
      this.#writer.control('ROLLBACK TO unit');
      this.#writer.control('RELEASE unit');
      // What the unit saw may be lost with the COMMIT, so its refusal waits too.
      return () => unit.reject(error);
    }
  }

  #fail(units: readonly Unit[], cause: unknown): void {
    try {
      if (this.#writer.isTransaction) this.#writer.control('ROLLBACK');
    } catch (rollbackError) {
      cause = new AggregateError([cause, rollbackError], 'COMMIT and ROLLBACK failed');
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    for (const unit of units) {
      unit.reject(new DatabaseError('unavailable', `COMMIT failed: ${reason}`, { cause }));
    }
  }
}

function complete(unit: Unit, value: unknown, effects: readonly (() => void)[]): void {
  try {
    for (const effect of effects) effect();
  } catch (error) {
    // Memory no longer agrees with the disk; its caller must not take that for success.
    unit.reject(error);
    return;
  }
  unit.resolve(value);
}

class SqliteTransaction implements Transaction {
  readonly #writer: SqliteConnection;
  readonly #effects: (() => void)[] = [];
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
    return this.#attempt(() => this.#writer.run(query));
  }

  afterCommit(effect: () => void): void {
    this.#effects.push(effect);
  }

  /** Ends the unit; as on PostgreSQL, a statement that failed fails the unit even when its error was caught. */
  finish(): readonly (() => void)[] {
    this.#over = true;
    if (this.#error !== undefined) throw this.#error;
    return this.#effects;
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
