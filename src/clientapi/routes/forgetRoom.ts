// POST /rooms/{roomId}/forget.

import { roomId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { roomsVisible } from '../visible.ts';

export function forgetRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'forgetRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/forget'],
    auth: 'user',
    rateLimit: 'membership',
    errorStatus: { M_UNKNOWN: 400 },
    params: { roomId: roomId() },
    body: jsonObject,
    bodyOptional: true,
    handler: async ({ requester: { userId }, params: { roomId } }) => {
      await roomsVisible(context, await context.roomserver.performForget({ roomId, userId }));
      return {};
    },
  });
}
