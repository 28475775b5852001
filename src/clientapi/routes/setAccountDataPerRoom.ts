// PUT /user/{userId}/rooms/{roomId}/account_data/{type}.

import { roomId, shortText, userId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { setAccountDataAt } from '../account-data.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function setAccountDataPerRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'setAccountDataPerRoom',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/rooms/:roomId/account_data/:type'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId(), roomId: roomId(), type: shortText() },
    body: jsonObject,
    handler: async ({ requester, params, body }) => {
      checkIsSelf(requester, params.userId);
      return await setAccountDataAt(context, params, body);
    },
  });
}
