// GET /directory/room/{roomAlias}.

import { roomAlias } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getRoomIdByAlias({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomIdByAlias',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/directory/room/:roomAlias'],
    auth: 'none',
    rateLimit: 'lookup',
    params: { roomAlias: roomAlias() },
    handler: async ({ params: { roomAlias: alias } }) => {
      const { roomId, servers } = await roomserver.queryAlias({ alias });
      return { room_id: roomId, servers };
    },
  });
}
