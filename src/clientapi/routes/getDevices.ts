// GET /devices.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { deviceBody } from '../device-body.ts';

export function getDevices({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getDevices',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/devices'],
    auth: 'guest',
    handler: async ({ requester: { userId } }) => {
      const devices = await userserver.queryDevices({ userId });
      return { devices: devices.map(deviceBody) };
    },
  });
}
