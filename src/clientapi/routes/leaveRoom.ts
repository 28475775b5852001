// POST /rooms/{roomId}/leave.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { changeMembership, reasonBody, reasonContent } from '../membership-change.ts';

export function leaveRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'leaveRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/leave'],
    auth: 'guest',
    rateLimit: 'membership',
    params: { roomId: roomId() },
    body: reasonBody,
    bodyOptional: true,
    handler: async ({ requester: { userId }, params: { roomId }, body }) =>
      await changeMembership(context, {
        roomId,
        sender: userId,
        target: userId,
        action: 'leave',
        content: reasonContent(body.reason),
      }),
  });
}
