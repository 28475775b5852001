// POST /user_directory/search.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { withoutUndefined } from '../without-undefined.ts';

const MOST_RESULTS = 50;

export function searchUserDirectory({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'searchUserDirectory',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/user_directory/search'],
    auth: 'user',
    rateLimit: 'lookup',
    body: Type.Object({
      search_term: Type.String(),
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    handler: async ({ requester, body: { search_term: term, limit = 10 } }) => {
      const { results, limited } = await userserver.searchUsers({
        term,
        limit: Math.min(limit, MOST_RESULTS),
        requester: requester.userId,
      });
      return {
        limited,
        results: results.map(({ userId, displayname, avatarUrl }) =>
          withoutUndefined({ user_id: userId, display_name: displayname, avatar_url: avatarUrl }),
        ),
      };
    },
  });
}
