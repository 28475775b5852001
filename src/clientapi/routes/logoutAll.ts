// POST /logout/all.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { usersVisible } from '../visible.ts';

export function logoutAll(context: ClientapiContext): Route {
  return route({
    operationId: 'logout_all',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/logout/all'],
    auth: 'guest',
    handler: async ({ requester: { userId } }) => {
      await usersVisible(context, await context.userserver.performLogoutAll({ userId }));
      return {};
    },
  });
}
