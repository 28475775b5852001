// GET /rooms/{roomId}/state.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getRoomState({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomState',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/state'],
    auth: 'guest',
    params: { roomId: roomId() },
    handler: async ({ requester, params }) =>
      await syncserver.state({ viewer: viewerOf(requester), roomId: params.roomId }),
  });
}
