// SQLite behind the Database interface: one writer with group commit, reads on a connection of their own.

import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Database, Migration, Row, Transaction } from './database.ts';
import { DatabaseError } from './database.ts';
import { DurableCommit } from './durable-commit.ts';
import { GroupCommit } from './group-commit.ts';
import { Migrator } from './migrations.ts';
import type { Sql } from './sql.ts';
import { Checkpoints } from './sqlite-checkpoints.ts';
import { SqliteConnection } from './sqlite-connection.ts';

export interface SqliteOptions {
  /** A file; created when missing. */
  readonly path: string;
  readonly clock?: Clock;
  /** For tests: awaited before every COMMIT, which fails when this does. */
  readonly beforeCommit?: () => Promise<void>;
  /** For tests: awaited before a COMMIT is made durable, which fails when this does. */
  readonly beforeSync?: () => Promise<void>;
}

/** @throws DatabaseError when the file cannot be opened or is no database. */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const writer = new SqliteConnection(options.path);
  try {
    writer.pragma('journal_mode=WAL');
    writer.pragma('synchronous=NORMAL');
    writer.pragma('wal_autocheckpoint=0');
    writer.pragma('journal_size_limit=67108864');
    // What savepoints keep for a rollback would go to a temporary file, opened anew for every unit.
    writer.pragma('temp_store=MEMORY');
    // What a process has left behind that ended between a COMMIT and its sync may be in no more than memory.
    writer.pragma('wal_checkpoint(TRUNCATE)');
    const reader = new SqliteConnection(options.path, { readOnly: true });
    // In KiB. Larger ones cost more than they save: COMMIT looks through the writer's, every COMMIT empties the
    // reader's, and the operating system keeps the file's pages anyway.
    for (const connection of [writer, reader]) connection.pragma('cache_size=-8000');
    return new SqliteDatabase(writer, reader, options);
  } catch (error) {
    writer.close();
    throw error;
  }
}

class SqliteDatabase implements Database {
  readonly engine = 'sqlite';
  readonly lost: Promise<DatabaseError>;
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #commits: DurableCommit;
  readonly #units: GroupCommit;
  readonly #checkpoints: Checkpoints;
  readonly #migrator: Migrator;
  #closing: Promise<void> | undefined;

  constructor(writer: SqliteConnection, reader: SqliteConnection, options: SqliteOptions) {
    this.#writer = writer;
    this.#reader = reader;
    this.#checkpoints = new Checkpoints(writer, options.path);
    this.#commits = new DurableCommit({ ...options, writer, reader });
    this.lost = this.#commits.lost;
    this.#units = new GroupCommit(writer, {
      checkUsable: () => this.#commits.checkUsable(),
      beforeCommit: options.beforeCommit,
      commit: () => this.#commits.commit(),
      afterGroup: () => this.#checkpoints.consider(),
    });
    this.#migrator = new Migrator(this, options.clock ?? systemClock);
  }

  async all<T extends object = Row>(query: Sql): Promise<T[]> {
    return this.#open().all(query) as T[];
  }

  async get<T extends object = Row>(query: Sql): Promise<T | undefined> {
    return this.#open().get(query) as T | undefined;
  }

  transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#units.run(body);
  }

  migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    return this.#migrator.migrate(component, migrations);
  }

  async checkIntegrity(): Promise<void> {
    const found = this.#open()
      .pragma('integrity_check')
      .map((row) => String(row.integrity_check));
    if (found.length === 1 && found[0] === 'ok') return;
    throw new DatabaseError('other', `the database is damaged: ${found.slice(0, 10).join('; ')}`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #open(): SqliteConnection {
    if (this.#closing !== undefined)
      throw new DatabaseError('unavailable', 'the database is closed');
    this.#commits.checkUsable();
    return this.#reader;
  }

  /** The writer goes last: the last connection to close empties the write-ahead log, which a reader cannot. */
  async #close(): Promise<void> {
    await this.#units.close();
    await this.#checkpoints.close();
    this.#reader.close();
    this.#writer.close();
    await this.#commits.close();
  }
}
