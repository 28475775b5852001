// Keeps a second process off the same database: ids and positions are counted in memory. The lock belongs to a
// connection of its own and ends with it.

import pg from 'pg';
import { DatabaseError } from './database.ts';
import { toDatabaseError } from './postgres-errors.ts';

const ATTEMPT_INTERVAL_MS = 100;

export class PostgresLock {
  readonly #config: pg.ClientConfig;
  readonly #waitMs: number;
  #client: pg.Client | undefined;
  #acquiring: Promise<void> | undefined;
  #closed = false;

  constructor(config: pg.ClientConfig, waitMs: number) {
    this.#config = config;
    this.#waitMs = waitMs;
  }

  /** Returns at once while the lock is held; takes it again after its connection was lost. */
  async hold(): Promise<void> {
    if (this.#client !== undefined) return;
    this.#acquiring ??= this.#acquire().finally(() => {
      this.#acquiring = undefined;
    });
    await this.#acquiring;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end();
  }

  async #acquire(): Promise<void> {
    if (this.#closed) throw new DatabaseError('unavailable', 'the database is closed');
    const client = new pg.Client(this.#config);
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
    try {
      await client.connect();
      await this.#lock(client);
      this.#client = client;
    } catch (error) {
      await client.end();
      throw toDatabaseError(error);
    }
  }

  async #lock(client: pg.Client): Promise<void> {
    for (let waited = 0; waited <= this.#waitMs; waited += ATTEMPT_INTERVAL_MS) {
      const { rows } = await client.query(
        `SELECT pg_try_advisory_lock(hashtext('keyhole'), hashtext(current_schema())) AS held`,
      );
      if (rows[0].held) return;
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_INTERVAL_MS));
    }
    throw new DatabaseError(
      'other',
      'The PostgreSQL database is in use by another Keyhole process. ' +
        'Stop that process, or give this one a database of its own.',
    );
  }

  #lose(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined;
  }
}
