// PUT /user/{userId}/account_data/{type}.

import { shortText, userId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { setAccountDataAt } from '../account-data.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function setAccountData(context: ClientapiContext): Route {
  return route({
    operationId: 'setAccountData',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/account_data/:type'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId(), type: shortText() },
    body: jsonObject,
    handler: async ({ requester, params, body }) => {
      checkIsSelf(requester, params.userId);
      return await setAccountDataAt(context, params, body);
    },
  });
}
