// Who is deactivated leaves all rooms, rejects invites and takes back knocks.

import { GatewayError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { changeMembership } from '../membership/membership-change.ts';
import type { UserChange } from '../store/user-changes.ts';
import { forEachRoom } from './each-room.ts';

/** Returns whether none is left. */
export function leaveAllRooms(
  context: RoomserverContext,
  { userId }: UserChange,
  isGoingOn: () => boolean,
): Promise<boolean> {
  return forEachRoom(context, {
    userId,
    memberships: ['join', 'invite', 'knock'],
    isGoingOn,
    work: (roomId) => leave(context, roomId, userId),
  });
}

/** Nobody stays in a room because its policy server does not answer: that passes. */
async function leave(context: RoomserverContext, roomId: RoomId, userId: UserId): Promise<void> {
  const member = { roomId, sender: userId, target: userId };
  try {
    await changeMembership(context, { ...member, action: 'leave', content: {} });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new Error('a room could not be left for now', { cause: error });
  }
}
