// GET /room_keys/keys.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { sessionsBody, versionQuery } from '../key-backup.ts';

export function getRoomKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeys',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys'],
    auth: 'user',
    query: versionQuery,
    handler: async ({ requester: { userId }, query: { version } }) => {
      const found = await userserver.queryRoomKeys({ userId, version });
      const rooms = Object.entries(found).map(([roomId, keys]) => [roomId, sessionsBody(keys)]);
      return { rooms: Object.fromEntries(rooms) };
    },
  });
}
