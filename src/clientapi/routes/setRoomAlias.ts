// PUT /directory/room/{roomAlias}.

import { roomAlias } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseRoomId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';

export function setRoomAlias({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'setRoomAlias',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/directory/room/:roomAlias'],
    auth: 'user',
    rateLimit: 'membership',
    errorStatus: { M_ROOM_IN_USE: 409 },
    params: { roomAlias: roomAlias() },
    body: Type.Object({ room_id: identifierText('room-id') }),
    handler: async ({ requester: { userId }, params: { roomAlias: alias }, body }) => {
      const roomId = parseRoomId(body.room_id);
      await roomserver.performSetAlias({ alias, roomId, userId });
      return {};
    },
  });
}
