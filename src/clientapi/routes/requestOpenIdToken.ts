// POST /user/{userId}/openid/request_token.

import { userId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function requestOpenIdToken({ userserver, serverName }: ClientapiContext): Route {
  return route({
    operationId: 'requestOpenIdToken',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/openid/request_token'],
    auth: 'user',
    rateLimit: 'lookup',
    params: { userId: userId() },
    body: jsonObject,
    bodyOptional: true,
    handler: async ({ requester, params: { userId } }) => {
      checkIsSelf(requester, userId);
      const token = await userserver.performCreateOpenIdToken({ userId });
      return {
        access_token: token.accessToken,
        token_type: 'Bearer',
        matrix_server_name: serverName,
        expires_in: Math.floor(token.expiresInMs / 1000),
      };
    },
  });
}
