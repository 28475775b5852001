// One unit of work on one connection of PostgreSQL. Statements are pipelined: BEGIN travels with the first.

import type { PoolClient } from 'pg';
import type { Row, Transaction } from './database.ts';
import { DatabaseError } from './database.ts';
import { toDatabaseError } from './postgres-errors.ts';
import { bindForPostgres, statementOf } from './postgres-statement.ts';
import type { Sql } from './sql.ts';

export interface Attempt<T> {
  readonly value: T;
  readonly effects: readonly (() => void)[];
}

/** Runs `body` once, from BEGIN to COMMIT, or ROLLBACK and throws. */
export async function attempt<T>(
  client: PoolClient,
  body: (tx: Transaction) => Promise<T>,
  beforeCommit: (() => Promise<void>) | undefined,
): Promise<Attempt<T>> {
  const tx = new PostgresTransaction(client);
  try {
    const value = await run(client, tx, async () => {
      const result = await body(tx);
      await beforeCommit?.().catch((cause) => {
        throw new DatabaseError('unavailable', `COMMIT failed: ${cause}`, { cause });
      });
      return result;
    });
    await commit(client, tx);
    return { value, effects: tx.done };
  } catch (error) {
    for (const effect of tx.undone) effect();
    throw error;
  }
}

async function run<T>(
  client: PoolClient,
  tx: PostgresTransaction,
  body: () => Promise<T>,
): Promise<T> {
  // Not awaited: where BEGIN fails the connection is lost, and everything after it fails as well.
  client.query('BEGIN ISOLATION LEVEL SERIALIZABLE').catch((error) => tx.fail(error));
  try {
    return await body();
  } catch (error) {
    await client.query('ROLLBACK').catch((cause) => tx.fail(cause));
    throw tx.error ?? error;
  } finally {
    tx.end();
  }
}

/** After an error the server answers COMMIT with success, but says that it was a ROLLBACK. */
async function commit(client: PoolClient, tx: PostgresTransaction): Promise<void> {
  let command: string;
  try {
    command = (await client.query('COMMIT')).command;
  } catch (error) {
    throw toDatabaseError(error);
  }
  if (command === 'COMMIT') return;
  throw tx.error ?? new DatabaseError('unavailable', `COMMIT was answered with ${command}`);
}

class PostgresTransaction implements Transaction {
  readonly #client: PoolClient;
  readonly done: (() => void)[] = [];
  readonly undone: (() => void)[] = [];
  /** The first error of a statement: those that follow it only say that the transaction is aborted. */
  error: DatabaseError | undefined;
  #over = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async all<T extends object = Row>(query: Sql): Promise<T[]> {
    return (await this.#query(query)).rows as T[];
  }

  async get<T extends object = Row>(query: Sql): Promise<T | undefined> {
    return (await this.#query(query)).rows[0] as T | undefined;
  }

  async run(query: Sql): Promise<number> {
    return (await this.#query(query)).rowCount ?? 0;
  }

  afterCommit(effect: () => void): void {
    this.done.push(effect);
  }

  afterRollback(effect: () => void): void {
    this.undone.push(effect);
  }

  end(): void {
    this.#over = true;
  }

  fail(cause: unknown): DatabaseError {
    this.error ??= toDatabaseError(cause);
    return this.error;
  }

  async #query(query: Sql) {
    if (this.#over) throw new DatabaseError('other', 'the unit of work is over');
    if (this.error !== undefined) throw this.error;
    try {
      const values = bindForPostgres(query);
      return await this.#client.query({ ...statementOf(query), values });
    } catch (cause) {
      throw this.fail(cause);
    }
  }
}
