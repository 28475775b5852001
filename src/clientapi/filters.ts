// Filters in query parameters: inline JSON, or the id of one that the client has stored.

import { type TSchema, Type } from 'typebox';
import { createBodyCheck } from '../http/body-schema.ts';
import { parseJsonBody } from '../http/json-body.ts';
import { invalidParameter, type Parameter, parsed } from '../http/parameters.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { UserserverApi } from '../userserver/api.ts';
import { roomEventFilter, syncFilter } from './filter-schema.ts';

const NO_FILTER: JsonObject = {};

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

function inlineFilterParser(schema: TSchema): (raw: string) => JsonObject {
  const check = createBodyCheck(schema);
  return (raw) => {
    try {
      const filter = parseJsonBody(Buffer.from(raw));
      check(filter);
      return filter as JsonObject;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      throw invalidParameter('filter', `is no filter: ${error.message}`);
    }
  };
}
