// History visibility (Client-Server API, "Room History Visibility").

export type HistoryVisibility = 'invited' | 'joined' | 'shared' | 'world_readable';

const OPENNESS: Readonly<Record<HistoryVisibility, number>> = {
  joined: 0,
  invited: 1,
  shared: 2,
  world_readable: 3,
};

/** The more open of two visibilities: what holds for the event that changes one into the other. */
export function moreOpen(a: HistoryVisibility, b: HistoryVisibility): HistoryVisibility {
  return OPENNESS[a] >= OPENNESS[b] ? a : b;
}

/** Whether people outside of the room may see it. */
export function isWorldReadable(visibility: HistoryVisibility | undefined): boolean {
  return visibility === 'world_readable';
}

/** Whether people outside of the room may follow it (MSC2753): what is encrypted would be of no use to them. */
export function isPeekable(room: {
  readonly visibility: HistoryVisibility;
  readonly encrypted: boolean;
}): boolean {
  return isWorldReadable(room.visibility) && !room.encrypted;
}

/** What decides whether one user may see one event. */
export interface EventSight {
  /** In force at the event; where the event changes it, the more open of the two. */
  readonly visibility: HistoryVisibility;
  /** The user's membership just before the event; undefined when there was none. */
  readonly membership: string | undefined;
  /** Only where the event is the user's own m.room.member: the membership that it gives. */
  readonly membershipAfter?: string | undefined;
  /** Whether the user joined at any point after the event. */
  readonly joinedLater: boolean;
}

export function canSeeEvent(sight: EventSight): boolean {
  const { membership, membershipAfter } = sight;
  if (isAllowed(sight, membership)) return true;
  if (membershipAfter === undefined) return false;
  return isAllowed(sight, membershipAfter) || isFarewell(membership, membershipAfter);
}

/** The five rules of the specification, by one membership. */
function isAllowed(
  { visibility, joinedLater }: EventSight,
  membership: string | undefined,
): boolean {
  switch (visibility) {
    case 'world_readable':
      return true;
    case 'shared':
      return membership === 'join' || joinedLater;
    case 'invited':
      return membership === 'join' || membership === 'invite';
    case 'joined':
      return membership === 'join';
  }
}

/** The end of an invite or a knock is shown to whom it was, or the client would keep showing it. */
function isFarewell(before: string | undefined, after: string): boolean {
  return (before === 'invite' || before === 'knock') && (after === 'leave' || after === 'ban');
}
