// Filters in query parameters: inline JSON, or the id of one that the client has stored.

import { LRUCache } from 'lru-cache';
import type { TSchema } from 'typebox';
import { createBodyCheck } from '../http/body-schema.ts';
import { parseJsonBody } from '../http/json-body.ts';
import { invalidParameter, type Parameter, parsed } from '../http/parameters.ts';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { UserserverApi } from '../userserver/api.ts';
import { roomEventFilter, syncFilter } from './filter-schema.ts';

const NO_FILTER: JsonObject = {};
/** In characters. Clients send the same filter with every request, and many clients the same one. */
const REMEMBERED = 1024 * 1024;

/** `filter` of /messages and /context: a RoomEventFilter as JSON text; absent is the filter that lets all pass. */
export function roomEventFilterParameter(): Parameter<JsonObject> {
  const parse = inlineFilterParser(roomEventFilter);
  return { ...parsed(parse, Type.String({ format: 'mx-filter' })), whenAbsent: () => NO_FILTER };
}

const parseInlineSyncFilter = inlineFilterParser(syncFilter);

/** `filter` of /sync. Errors: M_INVALID_PARAM, also for an id that the user has not stored. */
export async function resolveSyncFilter(
  { userserver }: { readonly userserver: Pick<UserserverApi, 'queryFilter'> },
  userId: UserId,
  filter: string | undefined,
): Promise<JsonObject> {
  if (filter === undefined || filter === '') return NO_FILTER;
  if (filter.startsWith('{')) return parseInlineSyncFilter(filter);
  const stored = await userserver.queryFilter({ userId, filterId: filter });
  if (stored === undefined) throw invalidParameter('filter', 'is not the id of a stored filter');
  return stored;
}

/** The same text gives the same object, so that what is made of it can be remembered too. */
function inlineFilterParser(schema: TSchema): (raw: string) => JsonObject {
  const check = createBodyCheck(schema);
  const known = new LRUCache<string, JsonObject>({
    maxSize: REMEMBERED,
    sizeCalculation: (_, raw) => raw.length,
  });
  return (raw) => {
    const remembered = known.get(raw);
    if (remembered !== undefined) return remembered;
    try {
      const filter = parseJsonBody(Buffer.from(raw));
      check(filter);
      known.set(raw, filter as JsonObject);
      return filter as JsonObject;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      throw invalidParameter('filter', `is no filter: ${error.message}`);
    }
  };
}
