// GET /events/{eventId}: deprecated, for clients that do not say which room they mean.

import { eventId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getOneEvent({ roomserver, syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getOneEvent',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/events/:eventId'],
    auth: 'user',
    params: { eventId: eventId() },
    handler: async ({ requester, params: { eventId } }) => {
      const [stored] = await roomserver.queryEvents({ eventIds: [eventId] });
      if (stored === undefined) throw new MatrixError('M_NOT_FOUND', 'Event not found');
      const { roomId } = Pdu.from(stored);
      return await syncserver.event({ viewer: viewerOf(requester), roomId, eventId });
    },
  });
}
