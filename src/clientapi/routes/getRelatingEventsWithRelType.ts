// GET /rooms/{roomId}/relations/{eventId}/{relType}.

import { eventId, roomId, shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { relations, relationsQuery } from '../relations.ts';

export function getRelatingEventsWithRelType(context: ClientapiContext): Route {
  return route({
    operationId: 'getRelatingEventsWithRelType',
    method: 'GET',
    paths: ['/_matrix/client/{v1,unstable}/rooms/:roomId/relations/:eventId/:relType'],
    auth: 'guest',
    params: { roomId: roomId(), eventId: eventId(), relType: shortText() },
    query: relationsQuery,
    handler: async (request) => await relations(context, request),
  });
}
