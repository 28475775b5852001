// Who is deactivated leaves all rooms, rejects invites and takes back knocks.

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
    work: (roomId) =>
      changeMembership(context, {
        roomId,
        sender: userId,
        target: userId,
        action: 'leave',
        content: {},
      }),
  });
}
