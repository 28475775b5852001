// Whether somebody is in a room now.

import { MatrixError } from '../protocol/error.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';

/** Throws M_FORBIDDEN. */
export async function checkIsJoined(
  { roomserver }: { readonly roomserver: Pick<RoomserverApi, 'queryMemberships'> },
  roomId: RoomId,
  userId: UserId,
): Promise<void> {
  const [member] = await roomserver.queryMemberships({ roomId, userIds: [userId] });
  if (member?.membership !== 'join') {
    throw new MatrixError('M_FORBIDDEN', 'You are not in this room');
  }
}
