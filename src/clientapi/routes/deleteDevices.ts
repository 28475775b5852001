// POST /delete_devices.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseDeviceId } from '../../protocol/identifiers.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';
import { usersVisible } from '../visible.ts';

export function deleteDevices(context: ClientapiContext): Route {
  return route({
    operationId: 'deleteDevices',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/delete_devices'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body: Type.Object({ devices: Type.Array(identifierText('device-id')), auth: authData }),
    handler: async ({ requester: { userId }, body }) => {
      const deviceIds = body.devices.map(parseDeviceId);
      const operation = {
        operation: 'deleteDevices',
        userId,
        flows: PASSWORD_FLOW,
        request: { deviceIds },
        auth: body.auth,
      };
      return await withInteractiveAuth(context, operation, async () => {
        const deletion = { userId, deviceIds };
        await usersVisible(context, await context.userserver.performDeleteDevices(deletion));
        return {};
      });
    },
  });
}
