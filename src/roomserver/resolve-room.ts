// Rooms as clients name them: by id or by alias.

import { isRoomId, parseRoomAlias, type RoomId, type ServerName } from '../protocol/identifiers.ts';
import { queryAlias } from './aliases/query-alias.ts';
import type { RoomserverContext } from './context.ts';

type Context = Pick<RoomserverContext, 'database' | 'serverName' | 'remoteRooms'>;

/** Throws M_INVALID_PARAM for what is neither, M_NOT_FOUND for an alias that leads nowhere. */
export async function resolveRoom(context: Context, roomIdOrAlias: string): Promise<RoomId> {
  return (await locateRoom(context, roomIdOrAlias)).roomId;
}

/** With the servers of which the alias says that they are in the room. Throws as above. */
export async function locateRoom(
  context: Context,
  roomIdOrAlias: string,
): Promise<{ roomId: RoomId; servers: readonly ServerName[] }> {
  if (isRoomId(roomIdOrAlias)) return { roomId: roomIdOrAlias, servers: [] };
  return queryAlias(context, parseRoomAlias(roomIdOrAlias));
}
