// GET /account/whoami.

import { type Route, route } from '../../http/route.ts';

export function getTokenOwner(): Route {
  return route({
    operationId: 'getTokenOwner',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/account/whoami'],
    auth: 'guest',
    handler: async ({ requester: { userId, deviceId, isGuest } }) => ({
      user_id: userId,
      ...(deviceId !== undefined && { device_id: deviceId }),
      is_guest: isGuest,
    }),
  });
}
