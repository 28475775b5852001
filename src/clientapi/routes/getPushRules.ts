// GET /pushrules/.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getPushRules({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getPushRules',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules{,/}'],
    auth: 'user',
    handler: async ({ requester: { userId } }) => await userserver.queryPushRules({ userId }),
  });
}
