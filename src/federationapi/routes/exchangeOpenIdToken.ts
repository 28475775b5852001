// GET /_matrix/federation/v1/openid/userinfo: who made an OpenID token. Other programs than homeservers ask it.

import { optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';

export function exchangeOpenIdToken({ userserver }: FederationapiContext): Route {
  return route({
    operationId: 'exchangeOpenIdToken',
    method: 'GET',
    paths: ['/_matrix/federation/v1/openid/userinfo'],
    auth: 'none',
    rateLimit: 'lookup',
    query: { access_token: optional(text()) },
    handler: async ({ query: { access_token: accessToken } }) => {
      if (accessToken === undefined) {
        throw new MatrixError('M_MISSING_TOKEN', 'Missing access token');
      }
      const owner = await userserver.queryOpenIdToken({ accessToken });
      if (owner === undefined) {
        throw new MatrixError('M_UNKNOWN_TOKEN', 'Access token unknown or expired');
      }
      return { sub: owner.userId };
    },
  });
}
