// Whether this server can act in a room by itself.

import type { RoomHead } from '../rooms/room-head.ts';

/** One of our users is in it; or nobody is any more, so that what we know of it is all there is. */
export function isHere(head: RoomHead | undefined): head is RoomHead {
  return head !== undefined && (head.localMembers > 0 || head.joinedMembers === 0);
}
