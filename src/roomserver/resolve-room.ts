// Rooms as clients name them: by id or by alias.

import { MatrixError } from '../protocol/error.ts';
import { isRoomId, parseRoomAlias, type RoomId, serverNameOf } from '../protocol/identifiers.ts';
import type { RoomserverContext } from './context.ts';
import { selectAlias } from './store/aliases.ts';

/** Throws M_INVALID_PARAM for what is neither, M_NOT_FOUND for an alias that points nowhere. */
export async function resolveRoom(
  { database, serverName }: Pick<RoomserverContext, 'database' | 'serverName'>,
  roomIdOrAlias: string,
): Promise<RoomId> {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias;
  const alias = parseRoomAlias(roomIdOrAlias);
  if (serverNameOf(alias) !== serverName) {
    throw new MatrixError('M_NOT_FOUND', 'Aliases of other servers cannot be looked up');
  }
  const stored = await selectAlias(database, alias);
  if (stored === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such alias');
  return stored.room_id;
}
