// POST /_matrix/federation/v1/publicRooms: our published rooms, searched by another server.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { publicRooms } from '../public-rooms.ts';

const filter = Type.Object({
  generic_search_term: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
});

export function queryPublicRooms(context: FederationapiContext): Route {
  return route({
    operationId: 'queryPublicRooms',
    method: 'POST',
    paths: ['/_matrix/federation/v1/publicRooms'],
    auth: 'server',
    rateLimit: 'federation',
    body: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      since: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      filter: Type.Optional(filter),
      include_all_networks: Type.Optional(Type.Boolean()),
      third_party_instance_id: Type.Optional(Type.String()),
    }),
    bodyOptional: true,
    handler: async ({ body }) => await publicRooms(context, body),
  });
}
