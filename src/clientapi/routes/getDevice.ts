// GET /devices/{deviceId}.

import { deviceId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { deviceBody } from '../device-body.ts';

export function getDevice({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getDevice',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/devices/:deviceId'],
    auth: 'guest',
    params: { deviceId: deviceId() },
    handler: async ({ requester: { userId }, params: { deviceId } }) => {
      const device = await userserver.queryDevice({ userId, deviceId });
      if (device === undefined) throw new MatrixError('M_NOT_FOUND', 'No such device');
      return deviceBody(device);
    },
  });
}
