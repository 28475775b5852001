// PUT /room_keys/keys/{roomId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { roomKeyBackup, sessionsFrom, versionQuery } from '../key-backup.ts';

export function putRoomKeysByRoomId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'putRoomKeysByRoomId',
    method: 'PUT',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId'],
    auth: 'user',
    params: { roomId: shortText() },
    query: versionQuery,
    body: roomKeyBackup,
    handler: async ({ requester: { userId }, params: { roomId }, query: { version }, body }) => {
      const keys = { [roomId]: sessionsFrom(body) };
      return await userserver.performPutRoomKeys({ userId, version, keys });
    },
  });
}
