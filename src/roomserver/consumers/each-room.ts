// The same for each of a user's rooms, where a room that refuses does not stop the others.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { selectRoomsOfUser } from '../store/memberships.ts';

/** Rooms that are ready at the same time share a transaction. */
const ROOMS_AT_ONCE = 16;

export interface EachRoom {
  readonly userId: UserId;
  readonly memberships: readonly string[];
  readonly work: (roomId: RoomId) => Promise<unknown>;
  /** Asked between rooms. */
  readonly isGoingOn: () => boolean;
}

/** Returns whether all rooms were seen to. A room that refuses by the rules was; any other failure throws in the end. */
export async function forEachRoom(
  context: RoomserverContext,
  { userId, memberships, work, isGoingOn }: EachRoom,
): Promise<boolean> {
  const rooms = await selectRoomsOfUser(context.database, userId, memberships);
  const failures: unknown[] = [];
  for (let start = 0; start < rooms.length; start += ROOMS_AT_ONCE) {
    if (!isGoingOn()) return false;
    const chunk = rooms.slice(start, start + ROOMS_AT_ONCE);
    const results = await Promise.allSettled(chunk.map(({ room_id }) => work(room_id)));
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const { reason } = result;
      if (!(reason instanceof MatrixError)) failures.push(reason);
      else logRefusal(context, { userId, roomId: chunk[i]?.room_id, err: reason });
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} rooms failed`);
  return true;
}

function logRefusal({ logger }: RoomserverContext, fields: object): void {
  logger.debug(fields, 'a room does not take the change of a user');
}
