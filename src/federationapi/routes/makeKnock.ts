// GET /_matrix/federation/v1/make_knock/{roomId}/{userId}: a template of a knock.

import { roomId, userId } from '../../http/identifier-parameters.ts';
import { repeated, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';
import { checkIsUserOf } from '../users.ts';

export function makeKnock({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'makeKnock',
    method: 'GET',
    paths: ['/_matrix/federation/v1/make_knock/:roomId/:userId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), userId: userId() },
    query: { ver: repeated(text()) },
    handler: async ({ requester: { origin }, params: { roomId, userId }, query: { ver } }) => {
      checkIsUserOf(origin, userId);
      if (ver.length === 0)
        throw new MatrixError('M_MISSING_PARAM', "The parameter 'ver' is missing");
      const made = await roomserver.performMakeMembership({
        origin,
        roomId,
        userId,
        membership: 'knock',
        roomVersions: ver,
      });
      return { room_version: made.roomVersion, event: made.event };
    },
  });
}
