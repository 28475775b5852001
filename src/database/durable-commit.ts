// COMMIT that waits for the disk off the event loop: SQLite writes to its log without syncing it (`synchronous=NORMAL`),
// a thread of libuv syncs the log, and readers stay at what was durable before until that is done. See
// docs/decisions/0017-commits-are-synced-off-the-event-loop.md.

import { close, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { DatabaseError } from './database.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

const syncData = promisify(fdatasync);
const closeFile = promisify(close);

export interface DurableCommitOptions {
  readonly path: string;
  readonly writer: SqliteConnection;
  readonly reader: SqliteConnection;
  /** For tests: awaited before every sync, which fails when this does. */
  readonly beforeSync?: (() => Promise<void>) | undefined;
}

export class DurableCommit {
  /** Resolves after the first sync that fails. */
  readonly lost: Promise<DatabaseError>;
  readonly #options: DurableCommitOptions;
  readonly #tellLost: (error: DatabaseError) => void;
  #error: DatabaseError | undefined;
  #log: number | undefined;

  constructor(options: DurableCommitOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<DatabaseError>();
    this.lost = promise;
    this.#tellLost = resolve;
  }

  /** Throws after a sync that failed: what is on the disk is unknown then, and a later sync would not tell. */
  checkUsable(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** Commits the writer's transaction; resolves once that is durable, and readers see it. */
  async commit(): Promise<void> {
    const { writer, reader, beforeSync } = this.#options;
    reader.holdSnapshot();
    try {
      writer.control('COMMIT');
    } catch (error) {
      reader.releaseSnapshot();
      throw error;
    }
    try {
      this.#log ??= openSync(`${this.#options.path}-wal`, 'r+');
      await beforeSync?.();
      await syncData(this.#log);
    } catch (cause) {
      throw this.#lose(cause);
    }
    reader.releaseSnapshot();
  }

  /** After the connections. */
  async close(): Promise<void> {
    if (this.#log !== undefined) await closeFile(this.#log);
  }

  #lose(cause: unknown): DatabaseError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the write-ahead log cannot be synced: ${reason}`;
    this.#error = new DatabaseError('unavailable', message, { cause });
    this.#tellLost(this.#error);
    return this.#error;
  }
}
