// GET /room_keys/keys/{roomId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { sessionsBody, versionQuery } from '../key-backup.ts';

export function getRoomKeysByRoomId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeysByRoomId',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId'],
    auth: 'user',
    params: { roomId: shortText() },
    query: versionQuery,
    handler: async ({ requester: { userId }, params: { roomId }, query: { version } }) => {
      const found = await userserver.queryRoomKeys({ userId, version, roomId });
      return sessionsBody(Object.values(found)[0]);
    },
  });
}
