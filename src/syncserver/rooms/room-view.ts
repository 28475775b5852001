// How somebody sees a room: as a member, as one who has left, or looking in from outside.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';
import type { Membership } from '../store/memberships.ts';

export interface RoomView {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  /** Looks in from outside: sees what is world-readable, and the current state. */
  readonly isLooker: boolean;
  /** The viewer's memberships, in order of position. */
  readonly history: readonly Membership[];
  /** The last position that is shown. */
  readonly upTo: number;
  /** The room's state at `upTo`. */
  readonly endState: StateSnapshotId;
  /** Messages of these users are not shown. */
  readonly ignored: ReadonlySet<UserId>;
}

/** What held once the position was consumed. */
export function membershipAt(
  history: readonly Membership[],
  position: number,
): Membership | undefined {
  return history.findLast((membership) => membership.position <= position);
}

/** Where the last time of being joined up to `position` began and ended; undefined for those who never were. */
export function lastJoin(
  history: readonly Membership[],
  position: number,
): { readonly from: number; readonly until: number } | undefined {
  let join: { from: number; until: number } | undefined;
  for (const { membership, position: at } of history) {
    if (at > position) break;
    if (membership === 'join') {
      // A join that follows a join is no new one.
      if (join?.until !== Number.POSITIVE_INFINITY)
        join = { from: at, until: Number.POSITIVE_INFINITY };
    } else if (join?.until === Number.POSITIVE_INFINITY) {
      join = { ...join, until: at };
    }
  }
  return join;
}
