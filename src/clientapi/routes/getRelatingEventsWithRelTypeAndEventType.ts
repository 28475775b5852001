// GET /rooms/{roomId}/relations/{eventId}/{relType}/{eventType}.

import { eventId, roomId, shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { relations, relationsQuery } from '../relations.ts';

export function getRelatingEventsWithRelTypeAndEventType(context: ClientapiContext): Route {
  return route({
    operationId: 'getRelatingEventsWithRelTypeAndEventType',
    method: 'GET',
    paths: ['/_matrix/client/{v1,unstable}/rooms/:roomId/relations/:eventId/:relType/:eventType'],
    auth: 'guest',
    params: { roomId: roomId(), eventId: eventId(), relType: shortText(), eventType: shortText() },
    query: relationsQuery,
    handler: async (request) => await relations(context, request),
  });
}
