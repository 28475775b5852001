// POST /publicRooms.

import type { Static } from 'typebox';
import { serverName } from '../../http/identifier-parameters.ts';
import { optional } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { PUBLIC_ROOMS_LIMIT, publicRooms } from '../public-rooms.ts';
import { withoutUndefined } from '../without-undefined.ts';

const filter = Type.Object({
  generic_search_term: Type.Optional(Type.String()),
  room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
});

const body = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Clients in loops say null for the first page. */
  since: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  filter: Type.Optional(filter),
  include_all_networks: Type.Optional(Type.Boolean()),
  third_party_instance_id: Type.Optional(Type.String()),
});

export function queryPublicRooms(context: ClientapiContext): Route {
  return route({
    operationId: 'queryPublicRooms',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/publicRooms'],
    auth: 'guest',
    rateLimit: 'lookup',
    query: { server: optional(serverName()) },
    body,
    bodyOptional: true,
    handler: async ({ query: { server }, body: request }) => {
      const { limit = PUBLIC_ROOMS_LIMIT.whenAbsent, since, filter } = request;
      const search = withoutUndefined({
        limit: Math.min(limit, PUBLIC_ROOMS_LIMIT.maximum),
        since: since ?? undefined,
        searchTerm: filter?.generic_search_term || undefined,
        roomTypes: filter?.room_types,
        ...networks(request),
      });
      return await publicRooms(context, server, search);
    },
  });
}

/** Throws M_INVALID_PARAM. */
function networks(request: Static<typeof body>) {
  const { include_all_networks: all, third_party_instance_id: one } = request;
  if (one !== undefined && all === true) {
    const message = 'Either all networks or the one of third_party_instance_id, not both';
    throw new MatrixError('M_INVALID_PARAM', message);
  }
  return { includeAllNetworks: all, thirdPartyInstanceId: one };
}
