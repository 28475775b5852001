// Which rooms a response looks into: those of which there may be something to tell. Found in memory and in one go,
// since a user may be in very many rooms of which few have changed.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { Membership } from '../store/memberships.ts';
import { isRoomChanged } from './joined.ts';
import type { SyncRequest } from './sync-request.ts';

/** Besides those that the device looks into from outside. */
export function roomsToTell(sync: SyncRequest): RoomId[] {
  const { user, filter, since, fullState } = sync;
  const isAll = since === undefined || fullState;
  const withAccountData = isAll ? new Set<string>() : roomsWithAccountData(sync, since.users);
  const rooms: RoomId[] = [];
  for (const [roomId, history] of user.memberships) {
    const mayBeTold =
      isAll || withAccountData.has(roomId) || isChanged(sync, roomId, history.at(-1));
    if (mayBeTold && filter.passesRoom(roomId)) rooms.push(roomId);
  }
  return rooms;
}

function roomsWithAccountData({ user, now }: SyncRequest, after: number): ReadonlySet<string> {
  return new Set(user.accountDataChanges(after, now.users).map(({ roomId }) => roomId));
}

function isChanged(sync: SyncRequest, roomId: RoomId, last: Membership | undefined): boolean {
  const { user, since } = sync;
  if (since === undefined || last === undefined || last.position > since.rooms) return true;
  // Of rooms in which she is not nothing but that is told.
  if (last.membership !== 'join') return false;
  const room = user.rooms.get(roomId);
  return room === undefined || isRoomChanged(sync, room);
}
