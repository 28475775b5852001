// What the three forms of asking for child events do.

import {
  boolean,
  oneOf,
  optional,
  type ParameterValues,
  text,
  withDefault,
} from '../http/parameters.ts';
import type { Requester } from '../http/route.ts';
import type { EventId, RoomId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { limit } from './limit-parameter.ts';
import { viewerOf } from './viewer.ts';
import { withoutUndefined } from './without-undefined.ts';

export const relationsQuery = {
  dir: withDefault(oneOf('b', 'f'), 'b'),
  from: optional(text()),
  to: optional(text()),
  limit: limit({ whenAbsent: 50, maximum: 1000 }),
  recurse: withDefault(boolean(), false),
};

interface RelationsRequest {
  readonly requester: Requester;
  readonly params: {
    readonly roomId: RoomId;
    readonly eventId: EventId;
    readonly relType?: string;
    readonly eventType?: string;
  };
  readonly query: ParameterValues<typeof relationsQuery>;
}

/** The body of the answer. */
export async function relations(
  { syncserver }: ClientapiContext,
  { requester, params, query: { from, to, ...query } }: RelationsRequest,
): Promise<object> {
  return await syncserver.relations({
    ...params,
    ...query,
    ...withoutUndefined({ from, to }),
    viewer: viewerOf(requester),
  });
}
