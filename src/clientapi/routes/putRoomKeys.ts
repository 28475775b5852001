// PUT /room_keys/keys.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { roomKeyBackup, sessionsFrom, versionQuery } from '../key-backup.ts';

export function putRoomKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'putRoomKeys',
    method: 'PUT',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys'],
    auth: 'user',
    query: versionQuery,
    body: Type.Object({ rooms: Type.Record(Type.String(), roomKeyBackup) }),
    handler: async ({ requester: { userId }, query: { version }, body }) => {
      const keys = Object.fromEntries(
        Object.entries(body.rooms).map(([roomId, room]) => [roomId, sessionsFrom(room)]),
      );
      return await userserver.performPutRoomKeys({ userId, version, keys });
    },
  });
}
