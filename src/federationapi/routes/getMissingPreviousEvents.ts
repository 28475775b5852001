// POST /_matrix/federation/v1/get_missing_events/{roomId}: what lies between events that a server has.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseEventId } from '../../protocol/identifiers.ts';
import type { FederationapiContext } from '../context.ts';

const DEFAULT_LIMIT = 10;
const MAX_EVENTS = 1_000;

const eventIds = Type.Array(Type.String(), { maxItems: MAX_EVENTS });

export function getMissingPreviousEvents({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'getMissingPreviousEvents',
    method: 'POST',
    paths: ['/_matrix/federation/v1/get_missing_events/:roomId'],
    auth: 'server',
    params: { roomId: roomId() },
    body: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      min_depth: Type.Optional(Type.Integer()),
      earliest_events: eventIds,
      latest_events: eventIds,
    }),
    handler: async ({ requester: { origin }, params: { roomId }, body }) => {
      const { events } = await roomserver.queryMissingEventsFor({
        origin,
        roomId,
        earliest: body.earliest_events.map(parseEventId),
        latest: body.latest_events.map(parseEventId),
        limit: body.limit ?? DEFAULT_LIMIT,
        minDepth: body.min_depth ?? 0,
      });
      return { events };
    },
  });
}
