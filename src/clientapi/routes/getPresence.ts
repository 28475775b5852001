// GET /presence/{userId}/status.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';

export function getPresence({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getPresence',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/presence/:userId/status'],
    auth: 'user',
    params: { userId: userId() },
    handler: async ({ requester, params: { userId } }) => {
      const pair = { userId: requester.userId, otherUserId: userId };
      const { shares } =
        requester.userId === userId ? { shares: true } : await syncserver.querySharesRoom(pair);
      if (!shares) throw new MatrixError('M_FORBIDDEN', 'You share no room with this user');
      return (await syncserver.queryPresence({ userId })) ?? { presence: 'offline' };
    },
  });
}
