// GET /_matrix/federation/v1/make_leave/{roomId}/{userId}: a template of a leave, for an invite that is rejected or a knock that is
// taken back.

import { roomId, userId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { FederationapiContext } from '../context.ts';
import { checkIsUserOf } from '../users.ts';

export function makeLeave({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'makeLeave',
    method: 'GET',
    paths: ['/_matrix/federation/v1/make_leave/:roomId/:userId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), userId: userId() },
    handler: async ({ requester: { origin }, params: { roomId, userId } }) => {
      checkIsUserOf(origin, userId);
      const made = await roomserver.performMakeMembership({
        origin,
        roomId,
        userId,
        membership: 'leave',
        roomVersions: ROOM_VERSIONS,
      });
      return { room_version: made.roomVersion, event: made.event };
    },
  });
}
