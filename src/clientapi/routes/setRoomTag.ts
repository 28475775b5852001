// PUT /user/{userId}/rooms/{roomId}/tags/{tag}.

import { roomId, shortText, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function setRoomTag(context: ClientapiContext): Route {
  return route({
    operationId: 'setRoomTag',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/rooms/:roomId/tags/:tag'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId(), roomId: roomId(), tag: shortText() },
    body: Type.Object({ order: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })) }),
    bodyOptional: true,
    handler: async ({ requester, params, body }) => {
      checkIsSelf(requester, params.userId);
      const content = body as JsonObject;
      await usersVisible(context, await context.userserver.performSetTag({ ...params, content }));
      return {};
    },
  });
}
