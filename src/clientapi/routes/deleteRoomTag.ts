// DELETE /user/{userId}/rooms/{roomId}/tags/{tag}.

import { roomId, shortText, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function deleteRoomTag(context: ClientapiContext): Route {
  return route({
    operationId: 'deleteRoomTag',
    method: 'DELETE',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/rooms/:roomId/tags/:tag'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId(), roomId: roomId(), tag: shortText() },
    handler: async ({ requester, params }) => {
      checkIsSelf(requester, params.userId);
      await usersVisible(context, await context.userserver.performSetTag(params));
      return {};
    },
  });
}
