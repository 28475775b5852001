// GET /room_keys/keys/{roomId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { versionQuery } from '../key-backup.ts';
import { sessionsStream } from '../room-keys-stream.ts';

export function getRoomKeysByRoomId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeysByRoomId',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId'],
    auth: 'user',
    params: { roomId: shortText() },
    query: versionQuery,
    handler: async ({ requester: { userId }, params: { roomId }, query: { version } }) =>
      await sessionsStream(userserver, { userId, version, roomId }),
  });
}
