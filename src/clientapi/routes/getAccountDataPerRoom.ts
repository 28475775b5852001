// GET /user/{userId}/rooms/{roomId}/account_data/{type}.

import { roomId, shortText, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { getAccountDataAt } from '../account-data.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function getAccountDataPerRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'getAccountDataPerRoom',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/rooms/:roomId/account_data/:type'],
    auth: 'user',
    params: { userId: userId(), roomId: roomId(), type: shortText() },
    handler: async ({ requester, params }) => {
      checkIsSelf(requester, params.userId);
      return await getAccountDataAt(context, params);
    },
  });
}
