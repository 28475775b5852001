// GET /user/{userId}/filter/{filterId}.

import { userId } from '../../http/identifier-parameters.ts';
import { text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsSelf } from '../viewer.ts';

export function getFilter({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getFilter',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/filter/:filterId'],
    auth: 'user',
    params: { userId: userId(), filterId: text() },
    handler: async ({ requester, params }) => {
      checkIsSelf(requester, params.userId);
      const filter = await userserver.queryFilter(params);
      if (filter === undefined) throw new MatrixError('M_NOT_FOUND', 'No such filter');
      return filter;
    },
  });
}
