// Runs a suite once per storage backend, each test on a database of its own.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe } from 'node:test';
import pg from 'pg';
import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { openSqlite } from '../../src/database/sqlite.ts';

export interface BackendOptions {
  readonly clock?: Clock;
  /** Awaited before every COMMIT, which fails when this does. */
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

/** A place for the database of one test. */
interface Place {
  open(options: BackendOptions): Promise<Database>;
  remove(): Promise<void>;
}

/**
 * One `describe` per backend. PostgreSQL takes part when KEYHOLE_TEST_POSTGRES_URL is set (see
 * scripts/with-postgres.ts), else is skipped by name.
 */
export function forEachBackend(name: string, suite: (backend: Backend) => void): void {
  describe(`${name} on SQLite`, () => suite(backendOf('sqlite', createFolder)));
  onPostgres(name, (url) => suite(backendOf('postgres', () => createPostgresPlace(url))));
}

/** As `forEachBackend`, for whole servers: the URL is that of PostgreSQL, absent for SQLite. */
export function forEachEngine(name: string, suite: (postgresUrl?: string) => void): void {
  describe(`${name} on SQLite`, () => suite());
  onPostgres(name, suite);
}

/** What concerns PostgreSQL alone; the same rule applies. */
export function onPostgres(name: string, suite: (url: string) => void): void {
  const url = process.env.KEYHOLE_TEST_POSTGRES_URL;
  if (url === undefined) {
    describe(`${name} on PostgreSQL`, { skip: 'KEYHOLE_TEST_POSTGRES_URL is not set' }, () => {});
  } else {
    describe(`${name} on PostgreSQL`, () => suite(url));
  }
}

function backendOf(engine: Database['engine'], createPlace: () => Promise<Place>): Backend {
  let place: Promise<Place> | undefined;
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
    await (await place)?.remove();
    place = undefined;
  });
  return {
    engine,
    open: async (options = {}) => {
      place ??= createPlace();
      const database = await (await place).open(options);
      opened.push(() => database.close());
      return database;
    },
    closeFirst: (stop) => void opened.push(stop),
  };
}

async function createFolder(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'keyhole-test-'));
  return {
    open: (options) => openSqlite({ path: join(folder, 'test.db'), ...options }),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function createPostgresPlace(url: string): Promise<Place> {
  const schema = await createSchema(url);
  return {
    open: (options) => openPostgres({ url: schema.url, poolSize: 4, ...options }),
    remove: schema.remove,
  };
}

export interface Schema {
  /** On which it is the one in use. */
  readonly url: string;
  /** Ends all connections that were opened with `url`. */
  terminate(): Promise<void>;
  remove(): Promise<void>;
}

/** A schema of its own. */
export async function createSchema(url: string): Promise<Schema> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runOn(url, `CREATE SCHEMA ${name}`);
  const own = new URL(url);
  own.searchParams.set('options', `-c search_path=${name}`);
  own.searchParams.set('application_name', name);
  return {
    url: own.href,
    terminate: () =>
      runOn(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`,
      ),
    remove: () => runOn(url, `DROP SCHEMA ${name} CASCADE`),
  };
}

export async function runOn(url: string, text: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(text);
  await client.end();
}
