// The numbers of destinations. A server gets one when it is first heard of, and keeps it.

import { LRUCache } from 'lru-cache';
import type { Database, Transaction } from '../database/database.ts';
import { entries } from '../lru-entries.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import {
  insertDestinations,
  selectDestinationIds,
  selectGreatestDestinationId,
} from './store/destinations.ts';

const MAX_KNOWN = 50_000;

export class DestinationIds {
  readonly #known = new LRUCache<ServerName, number>(entries(MAX_KNOWN));
  #last: number;

  private constructor(last: number) {
    this.#last = last;
  }

  static async open(database: Database): Promise<DestinationIds> {
    return new DestinationIds(await selectGreatestDestinationId(database));
  }

  /** In a unit of work, which writes down those that are new. */
  async resolve(
    tx: Transaction,
    servers: ReadonlySet<ServerName>,
  ): Promise<ReadonlyMap<ServerName, number>> {
    const resolved = new Map<ServerName, number>();
    const unknown: ServerName[] = [];
    for (const server of servers) {
      const id = this.#known.get(server);
      if (id === undefined) unknown.push(server);
      else resolved.set(server, id);
    }
    if (unknown.length === 0) return resolved;
    const stored = await selectDestinationIds(tx, unknown);
    const added = unknown
      .filter((server) => !stored.has(server))
      .map((server) => ({ server, id: ++this.#last }));
    if (added.length > 0) await insertDestinations(tx, added);
    for (const { server, id } of added) stored.set(server, id);
    for (const [server, id] of stored) resolved.set(server, id);
    tx.afterCommit(() => {
      for (const [server, id] of stored) this.#known.set(server, id);
    });
    return resolved;
  }
}
