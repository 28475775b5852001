// POST /rooms/{roomId}/unban.

import { type Route, route } from '../../http/route.ts';
import { parseUserId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { roomId } from '../identifier-parameters.ts';
import { changeMembership, reasonContent, targetBody } from '../membership-change.ts';

export function unban(context: ClientapiContext): Route {
  return route({
    operationId: 'unban',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/unban'],
    auth: 'user',
    rateLimit: 'membership',
    params: { roomId: roomId() },
    body: targetBody,
    handler: async ({ requester, params: { roomId }, body }) =>
      await changeMembership(context, {
        roomId,
        sender: requester.userId,
        target: parseUserId(body.user_id),
        action: 'unban',
        content: reasonContent(body.reason),
      }),
  });
}
