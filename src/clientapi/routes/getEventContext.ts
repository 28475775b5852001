// GET /rooms/{roomId}/context/{eventId}.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { roomEventFilterParameter } from '../filters.ts';
import { limit } from '../limit-parameter.ts';
import { viewerOf } from '../viewer.ts';

export function getEventContext({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getEventContext',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/context/:eventId'],
    auth: 'guest',
    params: { roomId: roomId(), eventId: eventId() },
    query: {
      limit: limit({ whenAbsent: 10, maximum: 1000 }),
      filter: roomEventFilterParameter(),
    },
    handler: async ({ requester, params, query }) =>
      await syncserver.context({ viewer: viewerOf(requester), ...params, ...query }),
  });
}
