// performForget: a room is not shown to a user any more.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { forgetOutOfBand } from '../remote/out-of-band.ts';
import { selectMembership, updateForgotten } from '../store/memberships.ts';

type ForgetRequest = Parameters<RoomserverApi['performForget']>[0];

export async function forget(context: RoomserverContext, request: ForgetRequest): Promise<Written> {
  const { roomId, userId } = request;
  // Of an invite into a room that never was here there is a membership, but no room.
  if ((await context.rooms.head(roomId)) === undefined) {
    const member = await selectMembership(context.database, roomId, userId);
    if (member === undefined) throw new MatrixError('M_NOT_FOUND', 'You have never been there');
    checkHasLeft(member.membership);
    return forgetOutOfBand(context, request);
  }
  const { position } = await context.rooms.change(roomId, async (room) => {
    const member = await room.currentEvent('m.room.member', userId);
    const membership = member?.pdu.membership;
    if (membership === undefined) {
      throw new MatrixError('M_NOT_FOUND', 'You have never been in that room');
    }
    checkHasLeft(membership);
    room.alsoWrite((tx) => updateForgotten(tx, roomId, userId));
    room.log({ kind: 'ForgetRoom', userId });
  });
  return { position };
}

function checkHasLeft(membership: string): void {
  if (membership === 'leave' || membership === 'ban') return;
  throw new MatrixError('M_UNKNOWN', 'You are still in the room: leave it first');
}
