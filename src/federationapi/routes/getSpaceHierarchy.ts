// GET /_matrix/federation/v1/hierarchy/{roomId}: a space of ours, for another server.

import { roomId } from '../../http/identifier-parameters.ts';
import { boolean, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function getSpaceHierarchy({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'getSpaceHierarchy',
    method: 'GET',
    paths: ['/_matrix/federation/v1/hierarchy/:roomId'],
    auth: 'server',
    rateLimit: 'federation',
    params: { roomId: roomId() },
    query: { suggested_only: withDefault(boolean(), false) },
    handler: async ({ requester: { origin }, params: { roomId }, query }) => {
      const request = { origin, roomId, suggestedOnly: query.suggested_only };
      const { room, children, inaccessibleChildren } = await roomserver.querySpaceFor(request);
      return { room, children, inaccessible_children: inaccessibleChildren };
    },
  });
}
