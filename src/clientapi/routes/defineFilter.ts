// POST /user/{userId}/filter.

import { userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { syncFilter } from '../filter-schema.ts';
import { checkIsSelf } from '../viewer.ts';

export function defineFilter({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'defineFilter',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/user/:userId/filter'],
    auth: 'user',
    rateLimit: 'message',
    params: { userId: userId() },
    body: syncFilter,
    handler: async ({ requester, params: { userId }, body }) => {
      checkIsSelf(requester, userId);
      const filter = body as JsonObject;
      const { filterId } = await userserver.performStoreFilter({ userId, filter });
      return { filter_id: filterId };
    },
  });
}
