// PUT /directory/list/room/{roomId}.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';

const visibility = Type.Union([Type.Literal('public'), Type.Literal('private')]);

export function setRoomVisibilityOnDirectory({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'setRoomVisibilityOnDirectory',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/directory/list/room/:roomId'],
    auth: 'user',
    rateLimit: 'membership',
    params: { roomId: roomId() },
    body: Type.Object({ visibility: Type.Optional(visibility) }),
    handler: async ({ requester: { userId }, params: { roomId }, body }) => {
      const published = body.visibility !== 'private';
      await roomserver.performPublish({ roomId, userId, published });
      return {};
    },
  });
}
