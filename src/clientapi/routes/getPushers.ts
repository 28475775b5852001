// GET /pushers.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getPushers({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getPushers',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushers'],
    auth: 'user',
    handler: async ({ requester: { userId } }) => ({
      pushers: await userserver.queryPushers({ userId }),
    }),
  });
}
