// POST /knock/{roomIdOrAlias}.

import { roomIdOrAlias, serverName } from '../../http/identifier-parameters.ts';
import { repeated } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { memberProfile } from '../member-profile.ts';
import { reasonBody, reasonContent } from '../membership-change.ts';
import { roomsVisible } from '../visible.ts';

export function knockRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'knockRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/knock/:roomIdOrAlias'],
    auth: 'user',
    rateLimit: 'membership',
    // No other server that could help was reached.
    errorStatus: { M_UNKNOWN: 502 },
    params: { roomIdOrAlias: roomIdOrAlias() },
    query: { via: repeated(serverName()), server_name: repeated(serverName()) },
    body: reasonBody,
    bodyOptional: true,
    handler: async ({ requester: { userId }, params: { roomIdOrAlias }, query, body }) => {
      const profile = await memberProfile(context, userId);
      const knocked = await context.roomserver.performKnock({
        roomIdOrAlias,
        userId,
        serverNames: [...query.via, ...query.server_name],
        content: { ...profile, ...reasonContent(body.reason) },
      });
      await roomsVisible(context, knocked);
      return { room_id: knocked.roomId };
    },
  });
}
