// PUT /presence/{userId}/status.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { publishPresence } from '../edus.ts';
import { checkIsSelf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

/** Characters: everybody who shares a room is sent it, here and elsewhere. */
const MAX_STATUS = 1_024;

const presence = Type.Union([
  Type.Literal('online'),
  Type.Literal('offline'),
  Type.Literal('unavailable'),
]);

export function setPresence(context: ClientapiContext): Route {
  return route({
    operationId: 'setPresence',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/presence/:userId/status'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId() },
    body: Type.Object({
      presence,
      status_msg: Type.Optional(Type.Union([Type.String({ maxLength: MAX_STATUS }), Type.Null()])),
    }),
    handler: async ({ requester, params: { userId }, body }) => {
      checkIsSelf(requester, userId);
      const statusMsg = body.status_msg ?? undefined;
      const lastActiveTs = context.clock.now();
      const { presence } = body;
      if (presence !== 'offline') context.attendance.note(userId);
      publishPresence(context, userId, withoutUndefined({ presence, statusMsg, lastActiveTs }));
      return {};
    },
  });
}
