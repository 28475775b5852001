// GET /rooms/{roomId}/joined_members.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getJoinedMembersByRoom({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getJoinedMembersByRoom',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/joined_members'],
    auth: 'user',
    params: { roomId: roomId() },
    handler: async ({ requester, params: { roomId } }) =>
      await syncserver.joinedMembers({ viewer: viewerOf(requester), roomId }),
  });
}
