// GET /rooms/{roomId}/relations/{eventId}.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { relations, relationsQuery } from '../relations.ts';

export function getRelatingEvents(context: ClientapiContext): Route {
  return route({
    operationId: 'getRelatingEvents',
    method: 'GET',
    paths: ['/_matrix/client/{v1,unstable}/rooms/:roomId/relations/:eventId'],
    auth: 'guest',
    params: { roomId: roomId(), eventId: eventId() },
    query: relationsQuery,
    handler: async (request) => await relations(context, request),
  });
}
