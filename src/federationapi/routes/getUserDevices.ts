// GET /_matrix/federation/v1/user/devices/{userId}: the devices of one of our users, with their keys.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { checkIsOurs } from '../users.ts';

export function getUserDevices({ userserver, serverName }: FederationapiContext): Route {
  return route({
    operationId: 'getUserDevices',
    method: 'GET',
    paths: ['/_matrix/federation/v1/user/devices/:userId'],
    auth: 'server',
    rateLimit: 'federation',
    params: { userId: userId() },
    handler: async ({ params: { userId } }) => {
      checkIsOurs(serverName, userId);
      return await userserver.queryDevicesForServer({ userId });
    },
  });
}
