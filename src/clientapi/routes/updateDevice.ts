// PUT /devices/{deviceId}.

import { deviceId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { usersVisible } from '../visible.ts';

export function updateDevice(context: ClientapiContext): Route {
  const { userserver } = context;
  return route({
    operationId: 'updateDevice',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/devices/:deviceId'],
    auth: 'guest',
    params: { deviceId: deviceId() },
    body: Type.Object({ display_name: Type.Optional(Type.String({ maxLength: 256 })) }),
    handler: async ({ requester: { userId }, params: { deviceId }, body }) => {
      const device = await userserver.queryDevice({ userId, deviceId });
      if (device === undefined) throw new MatrixError('M_NOT_FOUND', 'No such device');
      const { display_name: displayName } = body;
      if (displayName === undefined) return {};
      const update = { userId, deviceId, displayName };
      await usersVisible(context, await userserver.performUpdateDevice(update));
      return {};
    },
  });
}
