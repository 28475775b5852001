// GET /publicRooms.

import { serverName } from '../../http/identifier-parameters.ts';
import { optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { limit } from '../limit-parameter.ts';
import { PUBLIC_ROOMS_LIMIT, publicRooms } from '../public-rooms.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function getPublicRooms(context: ClientapiContext): Route {
  return route({
    operationId: 'getPublicRooms',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/publicRooms'],
    auth: 'optional',
    rateLimit: 'lookup',
    query: {
      limit: limit(PUBLIC_ROOMS_LIMIT),
      since: optional(text()),
      server: optional(serverName()),
    },
    handler: async ({ requester, query: { limit, since, server } }) => {
      // Nobody makes this server ask others without saying who he is.
      const isOpen = context.config.publicRoomsWithoutAuth && server === undefined;
      if (requester === undefined && !isOpen) {
        throw new MatrixError('M_MISSING_TOKEN', 'Missing access token');
      }
      return await publicRooms(context, server, withoutUndefined({ limit, since }));
    },
  });
}
