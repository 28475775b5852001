// GET /user/{userId}/account_data/{type}.

import { shortText, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { getAccountDataAt } from '../account-data.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function getAccountData(context: ClientapiContext): Route {
  return route({
    operationId: 'getAccountData',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/account_data/:type'],
    auth: 'user',
    params: { userId: userId(), type: shortText() },
    handler: async ({ requester, params }) => {
      checkIsSelf(requester, params.userId);
      return await getAccountDataAt(context, params);
    },
  });
}
