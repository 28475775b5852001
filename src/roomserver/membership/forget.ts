// performForget: a room is not shown to a user any more.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { updateForgotten } from '../store/memberships.ts';

export async function forget(
  context: Pick<RoomserverContext, 'rooms'>,
  { roomId, userId }: Parameters<RoomserverApi['performForget']>[0],
): Promise<Written> {
  const { position } = await context.rooms.change(roomId, async (room) => {
    const member = await room.currentEvent('m.room.member', userId);
    const membership = member?.pdu.membership;
    if (membership === undefined) {
      throw new MatrixError('M_NOT_FOUND', 'You have never been in that room');
    }
    if (membership !== 'leave' && membership !== 'ban') {
      throw new MatrixError('M_UNKNOWN', 'You are still in the room: leave it first');
    }
    room.alsoWrite((tx) => updateForgotten(tx, roomId, userId));
    room.log({ kind: 'ForgetRoom', userId });
  });
  return { position };
}
