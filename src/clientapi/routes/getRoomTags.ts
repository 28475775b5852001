// GET /user/{userId}/rooms/{roomId}/tags.

import { roomId, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function getRoomTags({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomTags',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/rooms/:roomId/tags'],
    auth: 'user',
    params: { userId: userId(), roomId: roomId() },
    handler: async ({ requester, params: { userId, roomId } }) => {
      checkIsSelf(requester, userId);
      const content = await userserver.queryAccountData({ userId, roomId, type: 'm.tag' });
      return { tags: content?.tags ?? {} };
    },
  });
}
