// GET /_matrix/federation/v1/query/profile: what one of our users says of herself.

import { userId } from '../../http/identifier-parameters.ts';
import { optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';
import { checkIsOurs } from '../users.ts';

export function queryProfile({ userserver, serverName }: FederationapiContext): Route {
  return route({
    operationId: 'queryProfile',
    method: 'GET',
    paths: ['/_matrix/federation/v1/query/profile'],
    auth: 'server',
    query: { user_id: userId(), field: optional(text()) },
    handler: async ({ query: { user_id: userId, field } }) => {
      checkIsOurs(serverName, userId);
      const profile = await userserver.queryProfile({ userId });
      if (profile === undefined) throw new MatrixError('M_NOT_FOUND', 'No such user');
      if (field === undefined) return profile;
      return Object.hasOwn(profile, field) ? { [field]: profile[field] } : {};
    },
  });
}
