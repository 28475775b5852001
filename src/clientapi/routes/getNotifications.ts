// GET /notifications.

import { oneOf, optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { limit } from '../limit-parameter.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function getNotifications({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getNotifications',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/notifications'],
    auth: 'user',
    query: {
      from: optional(text()),
      limit: limit({ whenAbsent: 50, maximum: 500 }),
      only: optional(oneOf('highlight')),
    },
    handler: async ({ requester, query: { from, limit, only } }) =>
      await syncserver.notifications({
        ...withoutUndefined({ from }),
        viewer: viewerOf(requester),
        limit,
        onlyHighlights: only === 'highlight',
      }),
  });
}
