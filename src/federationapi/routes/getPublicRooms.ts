// GET /_matrix/federation/v1/publicRooms: our published rooms, for another server.

import { boolean, integer, optional, text, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { publicRooms } from '../public-rooms.ts';

export function getPublicRooms(context: FederationapiContext): Route {
  return route({
    operationId: 'getPublicRooms',
    method: 'GET',
    paths: ['/_matrix/federation/v1/publicRooms'],
    auth: 'server',
    rateLimit: 'federation',
    query: {
      limit: optional(integer({ minimum: 0 })),
      since: optional(text()),
      include_all_networks: withDefault(boolean(), false),
      third_party_instance_id: optional(text()),
    },
    handler: async ({ query }) => await publicRooms(context, query),
  });
}
