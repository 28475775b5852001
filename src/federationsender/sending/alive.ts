// Another server has sent us something: if it was not to be tried before long, it is now.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { entries } from '../../lru-entries.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { selectFailing, updateRetryAt } from '../store/destinations.ts';

const MAX_KNOWN = 10_000;
/** A server that sends but cannot be reached is not tried at each of its requests; ms after the last attempt. */
const LEAST_PAUSE_MS = 30_000;

export class AliveServers {
  readonly #options: { readonly database: Database; readonly clock: Clock };
  readonly #rouse: () => void;
  /** Those that are known not to fail: nothing is looked up for them. */
  readonly #wellKnown = new LRUCache<ServerName, true>(entries(MAX_KNOWN));

  constructor(options: { readonly database: Database; readonly clock: Clock }, rouse: () => void) {
    this.#options = options;
    this.#rouse = rouse;
  }

  async note(server: ServerName): Promise<void> {
    if (this.#wellKnown.has(server)) return;
    this.#wellKnown.set(server, true);
    const { database, clock } = this.#options;
    const failing = await selectFailing(database, server);
    if (failing === undefined) return;
    const retryAt = Math.max(clock.now(), failing.failedAt + LEAST_PAUSE_MS);
    if (retryAt >= failing.retryAt) return;
    await database.transact((tx) => updateRetryAt(tx, failing.id, retryAt));
    this.#rouse();
  }

  failed(server: ServerName): void {
    this.#wellKnown.delete(server);
  }
}
