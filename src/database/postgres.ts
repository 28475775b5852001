// PostgreSQL behind the Database interface: a pool of pipelined connections, each unit of work on one of them.

import pg from 'pg';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import type { Database, Migration, Row, Transaction } from './database.ts';
import { DatabaseError } from './database.ts';
import { Migrator } from './migrations.ts';
import { isRepeatable, toDatabaseError } from './postgres-errors.ts';
import { PostgresLock } from './postgres-lock.ts';
import { bindForPostgres, statementOf, typeParsers } from './postgres-statement.ts';
import { type Attempt, attempt } from './postgres-transaction.ts';
import type { Reading } from './reading.ts';
import type { Sql } from './sql.ts';
import { UnitGate } from './unit-gate.ts';
import { checkRead } from './values.ts';

const DEFAULT_POOL_SIZE = 8;
const CONNECTION_TIMEOUT_MS = 10_000;
/** A unit awaits nothing but its statements, so a transaction that idles this long is stuck. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** The server may take a moment to notice that a process has died. */
const DEFAULT_LOCK_WAIT_MS = 5000;
const MAX_REPEATS = 20;

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  readonly poolSize?: number;
  /** How long to wait for another process to give the database up; ms. */
  readonly lockWaitMs?: number;
  readonly clock?: Clock;
  /** For tests: awaited before every COMMIT, which fails when this does. */
  readonly beforeCommit?: () => Promise<void>;
}

/** @throws DatabaseError when the server cannot be reached, or another process uses the database. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const config: pg.PoolConfig = {
    connectionString: options.url,
    application_name: 'keyhole',
    keepAlive: true,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
  };
  const lock = new PostgresLock(config, options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS);
  await lock.hold();
  const pool = new pg.Pool({
    ...config,
    pipeline: true,
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    idleTimeoutMillis: 0,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types: typeParsers,
  });
  return new PostgresDatabase(pool, lock, options);
}

/** Beside the process that uses it: see reading.ts. Throws DatabaseError when it is asked and cannot be reached. */
export function readPostgres(url: string): Reading {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'keyhole, reading',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    pipeline: true,
    max: 1,
    types: typeParsers,
  });
  const ignore = () => {};
  pool.on('error', ignore);
  // It comes before what the connection is opened for; where it fails, that does, too.
  pool.on('connect', (client) => {
    client.on('error', ignore);
    client.query('SET default_transaction_read_only = on').catch(ignore);
  });
  const all = async <T extends object = Row>(query: Sql): Promise<T[]> => {
    try {
      return (await pool.query({ ...statementOf(query), values: bindForPostgres(query) }))
        .rows as T[];
    } catch (error) {
      throw toDatabaseError(error);
    }
  };
  return {
    all,
    get: async <T extends object = Row>(query: Sql) => (await all<T>(query))[0],
    close: () => pool.end(),
  };
}

class PostgresDatabase implements Database {
  readonly engine = 'postgres';
  /** Never: the server keeps what it has committed, or is not there. */
  readonly lost = new Promise<DatabaseError>(() => {});
  readonly #pool: pg.Pool;
  readonly #lock: PostgresLock;
  readonly #options: PostgresOptions;
  readonly #migrator: Migrator;
  readonly #gate: UnitGate;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(pool: pg.Pool, lock: PostgresLock, options: PostgresOptions) {
    this.#pool = pool;
    this.#lock = lock;
    this.#options = options;
    this.#gate = new UnitGate(options.poolSize ?? DEFAULT_POOL_SIZE);
    this.#migrator = new Migrator(this, options.clock ?? systemClock);
    // A connection that is lost fails the query that waits for it; an idle one is replaced when it is needed.
    const ignore = () => {};
    pool.on('error', ignore);
    pool.on('connect', (client) => client.on('error', ignore));
  }

  async all<T extends object = Row>(query: Sql): Promise<T[]> {
    if (this.#closing !== undefined) throw closedError();
    const statement = statementOf(query);
    checkRead(statement.text);
    const values = bindForPostgres(query);
    try {
      return (await this.#pool.query({ ...statement, values })).rows as T[];
    } catch (error) {
      throw toDatabaseError(error);
    }
  }

  async get<T extends object = Row>(query: Sql): Promise<T | undefined> {
    return (await this.all<T>(query))[0];
  }

  async transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError();
    const running = this.#gate.run(() => this.#run(body));
    this.#running.add(running);
    try {
      const { value, effects } = await running;
      for (const effect of effects) effect();
      return value;
    } finally {
      this.#running.delete(running);
    }
  }

  migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    return this.#migrator.migrate(component, migrations);
  }

  /** The server guards its own pages (checksums, pg_amcheck): this says that it answers. */
  async checkIntegrity(): Promise<void> {
    await this.#pool.query('SELECT 1').catch((error) => {
      throw toDatabaseError(error);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #run<T>(body: (tx: Transaction) => Promise<T>): Promise<Attempt<T>> {
    try {
      return await this.#attempt(body);
    } catch (error) {
      if (!isRepeatable(error)) throw error;
      return this.#gate.repeat(() => this.#repeat(body));
    }
  }

  async #repeat<T>(body: (tx: Transaction) => Promise<T>): Promise<Attempt<T>> {
    for (let repeats = 1; ; repeats++) {
      try {
        return await this.#attempt(body);
      } catch (error) {
        if (!isRepeatable(error) || repeats === MAX_REPEATS) throw error;
      }
    }
  }

  async #attempt<T>(body: (tx: Transaction) => Promise<T>): Promise<Attempt<T>> {
    const client = await this.#connect();
    let lost = false;
    try {
      return await attempt(client, body, this.#options.beforeCommit);
    } catch (error) {
      lost = error instanceof DatabaseError && error.kind === 'unavailable' && !isRepeatable(error);
      throw error;
    } finally {
      client.release(lost);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    await this.#lock.hold();
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw toDatabaseError(error);
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#pool.end();
    await this.#lock.close();
  }
}

function closedError(): DatabaseError {
  return new DatabaseError('unavailable', 'the database is closed');
}
