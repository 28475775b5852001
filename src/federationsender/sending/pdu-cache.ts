// Events as they are sent. One of a big room goes to many servers at about the same time, and is read once.

import { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import { type JsonObject, parseJsonExactly } from '../../protocol/json.ts';
import { selectPdus } from '../store/queue.ts';

/** Characters of JSON. */
const MAX_SIZE = 8_388_608;

interface Cached {
  readonly json: JsonObject;
  readonly size: number;
}

export class PduCache {
  readonly #database: Database;
  readonly #cached = new LRUCache<number, Cached>({
    maxSize: MAX_SIZE,
    sizeCalculation: ({ size }) => size,
  });

  constructor(database: Database) {
    this.#database = database;
  }

  /** In order of position. */
  async read(positions: readonly number[]): Promise<JsonObject[]> {
    const found = new Map<number, JsonObject>();
    const unknown: number[] = [];
    for (const position of positions) {
      const cached = this.#cached.get(position);
      if (cached === undefined) unknown.push(position);
      else found.set(position, cached.json);
    }
    if (unknown.length > 0) {
      for (const row of await selectPdus(this.#database, unknown)) {
        const json = parseJsonExactly(row.json) as JsonObject;
        found.set(row.position, json);
        this.#cached.set(row.position, { json, size: row.json.length + 1 });
      }
    }
    return positions
      .toSorted((a, b) => a - b)
      .map((position) => found.get(position))
      .filter((json) => json !== undefined);
  }
}
