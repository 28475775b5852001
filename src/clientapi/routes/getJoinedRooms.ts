// GET /joined_rooms.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getJoinedRooms({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'getJoinedRooms',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/joined_rooms'],
    auth: 'user',
    handler: async ({ requester: { userId } }) => {
      const rooms = await roomserver.queryRoomsOfUser({ userId, memberships: ['join'] });
      return { joined_rooms: rooms.map((room) => room.roomId) };
    },
  });
}
