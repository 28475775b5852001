// POST /join/{roomIdOrAlias}.

import { roomIdOrAlias, serverName } from '../../http/identifier-parameters.ts';
import { repeated } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { joinBody, performJoin } from '../join.ts';

export function joinRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'joinRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/join/:roomIdOrAlias'],
    auth: 'guest',
    rateLimit: 'membership',
    // No other server that could help was reached.
    errorStatus: { M_UNKNOWN: 502 },
    params: { roomIdOrAlias: roomIdOrAlias() },
    query: { via: repeated(serverName()), server_name: repeated(serverName()) },
    body: joinBody,
    bodyOptional: true,
    handler: async ({ requester, params, query, body }) =>
      await performJoin(context, requester, {
        roomIdOrAlias: params.roomIdOrAlias,
        serverNames: [...query.via, ...query.server_name],
        body,
      }),
  });
}
