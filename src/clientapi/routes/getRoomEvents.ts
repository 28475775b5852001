// GET /rooms/{roomId}/messages.

import { roomId } from '../../http/identifier-parameters.ts';
import { oneOf, optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { roomEventFilterParameter } from '../filters.ts';
import { limit } from '../limit-parameter.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function getRoomEvents({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomEvents',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/messages'],
    auth: 'guest',
    params: { roomId: roomId() },
    query: {
      from: optional(text()),
      to: optional(text()),
      dir: oneOf('b', 'f'),
      limit: limit({ whenAbsent: 10, maximum: 1000 }),
      filter: roomEventFilterParameter(),
    },
    handler: async ({ requester, params, query: { from, to, dir, limit, filter } }) =>
      await syncserver.messages({
        ...withoutUndefined({ from, to }),
        viewer: viewerOf(requester),
        roomId: params.roomId,
        dir,
        limit,
        filter,
      }),
  });
}
