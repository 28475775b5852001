// PUT /rooms/{roomId}/typing/{userId}.

import { roomId, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { publishTyping } from '../edus.ts';
import { checkIsJoined } from '../membership.ts';
import { checkIsSelf } from '../viewer.ts';

/** ms. */
const DEFAULT_TIMEOUT = 30_000;
const LONGEST_TIMEOUT = 120_000;

export function setTyping(context: ClientapiContext): Route {
  return route({
    operationId: 'setTyping',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/typing/:userId'],
    auth: 'user',
    rateLimit: 'message',
    params: { roomId: roomId(), userId: userId() },
    body: Type.Object({
      typing: Type.Boolean(),
      timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    handler: async ({ requester, params: { roomId, userId }, body }) => {
      checkIsSelf(requester, userId);
      await checkIsJoined(context, roomId, userId);
      const { typing, timeout = DEFAULT_TIMEOUT } = body;
      const timeoutMs = Math.min(timeout, LONGEST_TIMEOUT);
      publishTyping(context, roomId, { userId, typing, timeoutMs });
      return {};
    },
  });
}
