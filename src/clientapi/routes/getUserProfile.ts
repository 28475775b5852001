// GET /profile/{userId}.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';

export function getUserProfile({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getUserProfile',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/profile/:userId'],
    auth: 'none',
    params: { userId: userId() },
    handler: async ({ params: { userId } }) => {
      const profile = await userserver.queryProfile({ userId });
      if (profile === undefined) throw new MatrixError('M_NOT_FOUND', 'No such user');
      return profile;
    },
  });
}
