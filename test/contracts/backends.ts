// Runs a suite once per storage backend, each test on a database of its own.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe } from 'node:test';
import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { openSqlite } from '../../src/database/sqlite.ts';

export interface BackendOptions {
  readonly clock?: Clock;
  readonly beforeCommit?: () => Promise<void>;
}

export interface Backend {
  readonly engine: Database['engine'];
  /**
   * Opens the database of the running test: empty at first, the same one (as after a restart) when called again.
   * What is open is closed, and the database removed, when the test ends.
   */
  open(options?: BackendOptions): Promise<Database>;
  /** Runs before the databases are closed, last registered first: for what must be stopped while they work. */
  closeFirst(stop: () => Promise<void>): void;
}

/** One `describe` per backend; PostgreSQL takes part when KEYHOLE_TEST_POSTGRES_URL is set, else is skipped by name. */
export function forEachBackend(name: string, suite: (backend: Backend) => void): void {
  describe(`${name} on SQLite`, () => suite(sqliteBackend()));
}

function sqliteBackend(): Backend {
  let folder: string | undefined;
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
    if (folder !== undefined) await rm(folder, { recursive: true });
    folder = undefined;
  });
  return {
    engine: 'sqlite',
    open: async (options = {}) => {
      folder ??= await mkdtemp(join(tmpdir(), 'keyhole-test-'));
      const database = await openSqlite({ path: join(folder, 'test.db'), ...options });
      opened.push(() => database.close());
      return database;
    },
    closeFirst: (stop) => void opened.push(stop),
  };
}
