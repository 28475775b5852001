// What a viewer may follow of one room by /events: all of it as a member; what is world-readable while she looks
// into it, and up to the event that ended that; what she could see until she left.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';
import type { LiveUser } from '../live/live-user.ts';
import { lastJoin, membershipAt } from '../rooms/room-view.ts';
import type { SyncToken } from '../tokens.ts';

export interface Standing {
  readonly isMember: boolean;
  readonly isLooker: boolean;
  /** The last position that is shown. */
  readonly upTo: number;
}

export interface StandingRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly user: LiveUser;
  /** What has been told. */
  readonly since: SyncToken;
  readonly now: SyncToken;
  /** ms since the epoch. */
  readonly nowTs: number;
}

/** Undefined: nothing more is told of the room. */
export function standingIn({
  viewer,
  roomId,
  user,
  since,
  now,
  nowTs,
}: StandingRequest): Standing | undefined {
  const history = user.memberships.get(roomId) ?? [];
  if (membershipAt(history, now.rooms)?.membership === 'join') {
    return { isMember: true, isLooker: false, upTo: now.rooms };
  }
  const peeks = user
    .device(viewer.deviceId)
    .peeks.filter(
      ({ via, roomId: other, expiryTs, ending }) =>
        via === 'events' && other === roomId && expiryTs > nowTs && ending !== 'purge',
    );
  const isLooking = peeks.some((peek) => peek.endedPosition === undefined);
  const end = isLooking ? now.rooms : Math.max(0, ...peeks.map((peek) => peek.endedPosition ?? 0));
  if (isLooking || end > since.rooms) return { isMember: false, isLooker: true, upTo: end };
  const left = lastJoin(history, now.rooms)?.until ?? 0;
  const isForgotten = history.at(-1)?.forgotten === true;
  if (left <= since.rooms || isForgotten) return undefined;
  return { isMember: false, isLooker: false, upTo: left };
}
