// GET /rooms/{roomId}/hierarchy: the rooms of a space.

import { roomId } from '../../http/identifier-parameters.ts';
import { boolean, integer, optional, text, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { withoutUndefined } from '../without-undefined.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export function getSpaceHierarchy({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'getSpaceHierarchy',
    method: 'GET',
    paths: ['/_matrix/client/v1/rooms/:roomId/hierarchy'],
    auth: 'guest',
    rateLimit: 'lookup',
    params: { roomId: roomId() },
    query: {
      suggested_only: withDefault(boolean(), false),
      limit: withDefault(integer({ minimum: 1 }), DEFAULT_LIMIT),
      max_depth: optional(integer({ minimum: 0 })),
      from: optional(text()),
    },
    handler: async ({ requester: { userId }, params: { roomId }, query }) => {
      const { suggested_only: suggestedOnly, limit, max_depth: maxDepth, from } = query;
      const { rooms, nextBatch } = await roomserver.querySpace({
        ...{ roomId, userId, suggestedOnly, limit: Math.min(limit, MAX_LIMIT) },
        ...withoutUndefined({ maxDepth, from }),
      });
      return withoutUndefined({ rooms, next_batch: nextBatch });
    },
  });
}
