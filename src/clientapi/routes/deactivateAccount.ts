// POST /account/deactivate.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';
import { usersVisible } from '../visible.ts';

export function deactivateAccount(context: ClientapiContext): Route {
  const { userserver } = context;
  return route({
    operationId: 'deactivateAccount',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/account/deactivate'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body: Type.Object({
      auth: authData,
      erase: Type.Optional(Type.Boolean()),
      id_server: Type.Optional(Type.String()),
    }),
    bodyOptional: true,
    handler: async ({ requester: { userId }, body }) => {
      const erase = body.erase === true;
      const operation = {
        operation: 'deactivateAccount',
        userId,
        flows: PASSWORD_FLOW,
        request: { erase },
        auth: body.auth,
      };
      return await withInteractiveAuth(context, operation, async () => {
        await usersVisible(context, await userserver.performDeactivate({ userId, erase }));
        // No third-party identifiers are bound here, which the specification counts as success.
        return { id_server_unbind_result: 'success' };
      });
    },
  });
}
