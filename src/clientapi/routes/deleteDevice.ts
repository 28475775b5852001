// DELETE /devices/{deviceId}.

import { deviceId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';
import { usersVisible } from '../visible.ts';

export function deleteDevice(context: ClientapiContext): Route {
  return route({
    operationId: 'deleteDevice',
    method: 'DELETE',
    paths: ['/_matrix/client/{r0,v3}/devices/:deviceId'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    params: { deviceId: deviceId() },
    body: Type.Object({ auth: authData }),
    bodyOptional: true,
    handler: async ({ requester: { userId }, params: { deviceId }, body }) => {
      const operation = {
        operation: 'deleteDevice',
        userId,
        flows: PASSWORD_FLOW,
        request: { deviceId },
        auth: body.auth,
      };
      return await withInteractiveAuth(context, operation, async () => {
        const deletion = { userId, deviceIds: [deviceId] };
        await usersVisible(context, await context.userserver.performDeleteDevices(deletion));
        return {};
      });
    },
  });
}
