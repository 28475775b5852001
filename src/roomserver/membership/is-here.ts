// What this server can do in a room, by how much it has of it.

import type { RoomserverContext } from '../context.ts';
import type { RoomHead } from '../rooms/room-head.ts';

/** It can act by itself: one of our users is in it; or nobody is any more, so that what we know of it is all there is. */
export function isHere(head: RoomHead | undefined): head is RoomHead {
  return head !== undefined && canAct(head);
}

function canAct({ localMembers, joinedMembers }: RoomHead): boolean {
  return localMembers > 0 || joinedMembers === 0;
}

/** It is in the room, or somebody here looks into it. Else rows that remain are of a room that nobody is to see. */
export function isReadable(
  { outboundPeeks }: Pick<RoomserverContext, 'outboundPeeks'>,
  head: RoomHead | undefined,
): head is RoomHead {
  return head !== undefined && (canAct(head) || outboundPeeks.isLookedInto(head.roomId));
}
