// POST /rooms/{roomId}/join.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { joinBody, performJoin } from '../join.ts';

export function joinRoomById(context: ClientapiContext): Route {
  return route({
    operationId: 'joinRoomById',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/join'],
    auth: 'guest',
    rateLimit: 'membership',
    // No other server that could help was reached.
    errorStatus: { M_UNKNOWN: 502 },
    params: { roomId: roomId() },
    body: joinBody,
    bodyOptional: true,
    handler: async ({ requester, params, body }) =>
      await performJoin(context, requester, {
        roomIdOrAlias: params.roomId,
        serverNames: [],
        body,
      }),
  });
}
