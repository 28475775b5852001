// performSetAlias: a member of a room gives it an alias of this server.

import { MatrixError } from '../../protocol/error.ts';
import { serverNameOf } from '../../protocol/identifiers.ts';
import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isJoined } from '../membership/is-joined.ts';
import { insertAlias } from '../store/aliases.ts';
import { aliasTaken } from './alias-taken.ts';

export async function setAlias(
  { database, clock, serverName, rooms }: RoomserverContext,
  { alias, roomId, userId }: Parameters<RoomserverApi['performSetAlias']>[0],
): Promise<void> {
  if (serverNameOf(alias) !== serverName) {
    throw new MatrixError('M_INVALID_PARAM', 'Aliases of other servers are not set here');
  }
  // Under the room's lock, so that no alias outlives its room; in a transaction of its own, so that a taken alias
  // undoes nothing else.
  await rooms.change(roomId, async (room) => {
    if (!(await isJoined(room, userId))) {
      throw new MatrixError('M_FORBIDDEN', 'Only members of a room may give it an alias');
    }
    const row = { alias, roomId, creator: userId, createdAt: clock.now() };
    if (!(await database.transact((tx) => insertAlias(tx, row)))) throw aliasTaken(alias);
  });
}
