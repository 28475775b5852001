// POST /login/get_token.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { authData } from '../auth-data.ts';
import type { ClientapiContext } from '../context.ts';
import { PASSWORD_FLOW, withInteractiveAuth } from '../interactive-auth.ts';

export function generateLoginToken(context: ClientapiContext): Route {
  return route({
    operationId: 'generateLoginToken',
    method: 'POST',
    paths: ['/_matrix/client/v1/login/get_token'],
    auth: 'user',
    rateLimit: 'login',
    errorStatus: { M_UNKNOWN: 400 },
    body: Type.Object({ auth: authData }),
    bodyOptional: true,
    handler: async ({ requester: { userId }, body }) => {
      const operation = {
        operation: 'generateLoginToken',
        userId,
        flows: PASSWORD_FLOW,
        request: {},
        auth: body.auth,
      };
      return await withInteractiveAuth(context, operation, async () => {
        const token = await context.userserver.performCreateLoginToken({ userId });
        return { login_token: token.loginToken, expires_in_ms: token.expiresInMs };
      });
    },
  });
}
