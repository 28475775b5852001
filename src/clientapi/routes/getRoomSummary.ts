// GET /room_summary/{roomIdOrAlias}. Only for those who have signed in: it may make this server ask others.

import { roomIdOrAlias, serverName } from '../../http/identifier-parameters.ts';
import { repeated } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getRoomSummary({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomSummary',
    method: 'GET',
    paths: ['/_matrix/client/v1/room_summary/:roomIdOrAlias'],
    auth: 'guest',
    rateLimit: 'lookup',
    params: { roomIdOrAlias: roomIdOrAlias() },
    query: { via: repeated(serverName()) },
    handler: async ({ requester: { userId }, params: { roomIdOrAlias }, query }) =>
      await roomserver.queryRoomSummary({ roomIdOrAlias, userId, serverNames: query.via }),
  });
}
