// POST /account/password.

import { hash } from 'node:crypto';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';
import { deviceOf } from '../viewer.ts';
import { usersVisible } from '../visible.ts';

export function changePassword(context: ClientapiContext): Route {
  const { userserver } = context;
  return route({
    operationId: 'changePassword',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/account/password'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body: Type.Object({
      new_password: Type.String(),
      logout_devices: Type.Optional(Type.Boolean()),
      auth: authData,
    }),
    handler: async ({ requester, body }) => {
      const { userId } = requester;
      const operation = {
        operation: 'changePassword',
        userId,
        flows: PASSWORD_FLOW,
        // The password itself is not to be remembered.
        request: { newPassword: hash('sha256', body.new_password) },
        auth: body.auth,
      };
      const exceptDeviceId = deviceOf(requester);
      return await withInteractiveAuth(context, operation, async () => {
        const written = await userserver.performSetPassword({
          userId,
          password: body.new_password,
          ...(body.logout_devices !== false && { logoutDevices: { exceptDeviceId } }),
        });
        await usersVisible(context, written);
        return {};
      });
    },
  });
}
