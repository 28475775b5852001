// Connections that are kept open: a few to each destination, to so many destinations, while they are in use.

import type { Pool } from 'undici';
import type { Clock } from '../clock.ts';
import type { Connector } from './connector.ts';
import type { Location } from './discovery.ts';
import { DISPATCHER_OPTIONS, ORIGIN } from './http-exchange.ts';

export interface PoolsOptions {
  readonly connector: Connector;
  readonly clock: Clock;
  /** More requests to one destination than this wait. */
  readonly connectionsEach: number;
  readonly maxDestinations: number;
}

/** ms after which an unused connection is closed, and a destination without any forgotten. */
const KEEP_ALIVE_MS = 20_000;
const FORGET_MS = 60_000;

type PoolClass = typeof import('undici')['Pool'];

interface Entry {
  readonly pool: Pool;
  usedAt: number;
}

export class TooManyDestinationsError extends Error {
  constructor() {
    super('too many servers are being talked to');
    this.name = 'TooManyDestinationsError';
  }
}

export class DestinationPools {
  readonly #options: PoolsOptions;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(options: PoolsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Servers that are hosted together share a pool where their names are the same to them. Throws TooManyDestinationsError. */
  async pool(location: Location): Promise<Pool> {
    // Whoever never talks to another server saves its memory, and its time at start.
    const undici = await import('undici');
    const key = JSON.stringify(location);
    const entry = this.#entries.get(key) ?? { pool: this.#open(undici.Pool, location), usedAt: 0 };
    entry.usedAt = this.#options.clock.now();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#entries.values()].map(({ pool }) => pool);
    this.#entries.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(Pool: PoolClass, location: Location): Pool {
    const { connector, connectionsEach, maxDestinations } = this.#options;
    this.#forgetIdle();
    if (this.#entries.size >= maxDestinations) throw new TooManyDestinationsError();
    return new Pool(ORIGIN, {
      ...DISPATCHER_OPTIONS,
      connect: connector.forRoute(location),
      connections: connectionsEach,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: FORGET_MS,
    });
  }

  /** Those unused for long, and where there are too many the one least recently used. */
  #forgetIdle(): void {
    const { clock, maxDestinations } = this.#options;
    const longAgo = clock.now() - FORGET_MS;
    for (const [key, { pool, usedAt }] of this.#entries) {
      if (usedAt > longAgo && this.#entries.size < maxDestinations) return;
      const { running, pending, queued } = pool.stats;
      if (running + pending + queued > 0) continue;
      this.#entries.delete(key);
      pool.destroy().catch(() => undefined);
    }
  }
}
