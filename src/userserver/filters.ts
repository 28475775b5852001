// Stored filters. They never change, and the same filter of the same user has the same id.

import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { MatrixError } from '../protocol/error.ts';
import { type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import type { UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { insertFilter, selectFilter } from './store/filters.ts';

const ID_LENGTH = 22;
/** Room for the ids of a thousand rooms. Every /sync with the filter reads all of it. */
const MAX_FILTER_BYTES = 65_536;
/** In UTF-16 units of JSON text. */
const MAX_REMEMBERED = 8 * 1024 * 1024;

export function createFilters({
  database,
}: UserserverContext): Pick<UserserverApi, 'performStoreFilter' | 'queryFilter'> {
  const known = new LRUCache<string, JsonObject>({ maxSize: MAX_REMEMBERED });
  return {
    performStoreFilter: async ({ userId, filter }) => {
      const text = JSON.stringify(filter);
      if (Buffer.byteLength(text) > MAX_FILTER_BYTES) {
        throw new MatrixError('M_TOO_LARGE', 'Filters have at most 64 KiB');
      }
      const filterId = hash('sha256', text, 'base64url').slice(0, ID_LENGTH);
      await database.transact((tx) => insertFilter(tx, { userId, filterId, filter: text }));
      return { filterId };
    },
    queryFilter: async ({ userId, filterId }) => {
      const key = `${userId} ${filterId}`;
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const text = await selectFilter(database, userId, filterId);
      if (text === undefined) return undefined;
      const filter = parseJsonExactly(text) as JsonObject;
      known.set(key, filter, { size: text.length });
      return filter;
    },
  };
}
