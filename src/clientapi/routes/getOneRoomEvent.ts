// GET /rooms/{roomId}/event/{eventId}.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getOneRoomEvent({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getOneRoomEvent',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/event/:eventId'],
    auth: 'guest',
    params: { roomId: roomId(), eventId: eventId() },
    handler: async ({ requester, params: { roomId, eventId } }) =>
      await syncserver.event({ viewer: viewerOf(requester), roomId, eventId }),
  });
}
