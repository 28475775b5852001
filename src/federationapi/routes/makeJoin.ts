// GET /_matrix/federation/v1/make_join/{roomId}/{userId}: a template of a join.

import { roomId, userId } from '../../http/identifier-parameters.ts';
import { repeated, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { checkIsUserOf } from '../users.ts';

export function makeJoin({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'makeJoin',
    method: 'GET',
    paths: ['/_matrix/federation/v1/make_join/:roomId/:userId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), userId: userId() },
    query: { ver: repeated(text()) },
    handler: async ({ requester: { origin }, params: { roomId, userId }, query: { ver } }) => {
      checkIsUserOf(origin, userId);
      const made = await roomserver.performMakeMembership({
        origin,
        roomId,
        userId,
        membership: 'join',
        roomVersions: ver.length > 0 ? ver : ['1'],
      });
      return { room_version: made.roomVersion, event: made.event };
    },
  });
}
