// GET /initialSync: deprecated, still asked for by old clients.

import { boolean, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { limit } from '../limit-parameter.ts';
import { viewerOf } from '../viewer.ts';

export function initialSync({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'initialSync',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/initialSync'],
    auth: 'user',
    query: {
      limit: limit({ whenAbsent: 20, maximum: 1000 }),
      archived: withDefault(boolean(), false),
    },
    handler: async ({ requester, query }) =>
      await syncserver.initialSync({
        viewer: viewerOf(requester),
        limit: query.limit,
        archived: query.archived,
      }),
  });
}
