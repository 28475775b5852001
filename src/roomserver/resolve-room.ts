// Rooms as clients name them: by id or by alias.

import { isRoomId, parseRoomAlias, type RoomId } from '../protocol/identifiers.ts';
import { queryAlias } from './aliases/query-alias.ts';
import type { RoomserverContext } from './context.ts';

/** Throws M_INVALID_PARAM for what is neither, M_NOT_FOUND for an alias that leads nowhere. */
export async function resolveRoom(
  context: Pick<RoomserverContext, 'database' | 'serverName' | 'remoteRooms'>,
  roomIdOrAlias: string,
): Promise<RoomId> {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias;
  return (await queryAlias(context, parseRoomAlias(roomIdOrAlias))).roomId;
}
