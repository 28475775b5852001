// DELETE /directory/room/{roomAlias}.

import { roomAlias } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { roomsVisible } from '../visible.ts';

export function deleteRoomAlias(context: ClientapiContext): Route {
  return route({
    operationId: 'deleteRoomAlias',
    method: 'DELETE',
    paths: ['/_matrix/client/{r0,v3}/directory/room/:roomAlias'],
    auth: 'user',
    rateLimit: 'membership',
    params: { roomAlias: roomAlias() },
    handler: async ({ requester: { userId }, params: { roomAlias: alias } }) => {
      // The deletion shows in the room only where it changed the canonical alias.
      const { position } = await context.roomserver.performDeleteAlias({ alias, userId });
      if (position !== undefined) await roomsVisible(context, { position });
      return {};
    },
  });
}
