// The one interface to storage. SQL is written once; sql.ts renders it for each backend.

import type { Sql } from './sql.ts';

/** A value of a column: bigint columns come back as numbers (all of ours stay within 2^53), bytes as Uint8Array. */
export type SqlValue = string | number | null | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

export interface Queryable {
  /** All rows of a SELECT, or of a statement with RETURNING. */
  all<T extends object = Row>(query: Sql): Promise<T[]>;
  /** The first row, or undefined. */
  get<T extends object = Row>(query: Sql): Promise<T | undefined>;
}

/** The inside of a unit of work. Its body awaits nothing but these. */
export interface Transaction extends Queryable {
  /** Runs a statement; returns the number of rows it changed. */
  run(query: Sql): Promise<number>;
  /** Runs after COMMIT, in order of registration, before `transact` resolves; never after a rollback. Must not throw. */
  afterCommit(effect: () => void): void;
  /** Runs when the unit failed instead: its work was undone, or (the connection was lost) may have been. */
  afterRollback(effect: () => void): void;
}

export interface Database extends Queryable {
  readonly engine: 'sqlite' | 'postgres';
  /** Resolves when what is on the disk is no longer known. Everything fails from then on, and the process has to end. */
  readonly lost: Promise<DatabaseError>;
  /**
   * Runs `body` as one unit of work and resolves after its COMMIT, which is durable then. When the body throws, it alone is rolled
   * back and its error is thrown here; when COMMIT fails, every unit that shared it fails with DatabaseError.
   * A statement that failed fails the unit, caught or not: say `ON CONFLICT` where a conflict is expected. Units do
   * not nest. PostgreSQL may run a body again (deadlock): what it leaves outside of `tx` must bear that.
   * `all` and `get` of the Database itself see committed data only.
   */
  transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Applies the migrations of one component that have not been applied yet, in order, each in a transaction. */
  migrate(component: string, migrations: readonly Migration[]): Promise<void>;
  /** Integrity check of the backend (`PRAGMA integrity_check`); throws DatabaseError naming what is wrong. */
  checkIntegrity(): Promise<void>;
  close(): Promise<void>;
}

/** Forward only; `name` is `NNNN-what-it-does` and is never changed once released. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly Sql[];
}

export class DatabaseError extends Error {
  /** `unique`: a unique constraint refused the row; `unavailable`: the connection or the COMMIT failed. */
  readonly kind: 'unique' | 'unavailable' | 'other';

  constructor(kind: DatabaseError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseError';
    this.kind = kind;
  }
}
