// POST /logout.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { deviceOf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function logout(context: ClientapiContext): Route {
  return route({
    operationId: 'logout',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/logout'],
    auth: 'guest',
    handler: async ({ requester }) => {
      const device = { userId: requester.userId, deviceId: deviceOf(requester) };
      await usersVisible(context, await context.userserver.performLogout(device));
      return {};
    },
  });
}
