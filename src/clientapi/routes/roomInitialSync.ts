// GET /rooms/{roomId}/initialSync: for members, and the start of a preview for everybody else.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { limit } from '../limit-parameter.ts';
import { hintsOf, lookBriefly, SERVER_HINTS } from '../room-peek.ts';
import { viewerOf } from '../viewer.ts';

export function roomInitialSync(context: ClientapiContext): Route {
  return route({
    operationId: 'roomInitialSync',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/initialSync'],
    auth: 'guest',
    rateLimit: 'peek',
    params: { roomId: roomId() },
    query: { limit: limit({ whenAbsent: 20, maximum: 1000 }), ...SERVER_HINTS },
    handler: async ({ requester, params: { roomId }, query }) => {
      const viewer = viewerOf(requester);
      await lookBriefly(context, { viewer, roomId, serverNames: hintsOf(query) });
      return await context.syncserver.roomInitialSync({ viewer, roomId, limit: query.limit });
    },
  });
}
