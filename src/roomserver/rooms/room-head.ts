// The head of a room: all that the next event needs to know of what came before. Immutable; the committed one
// is cached, a draft works on a copy.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';
import { EMPTY_STATE } from '../state/snapshot.ts';

/** An accepted event that no accepted event refers to yet. */
export interface Extremity {
  readonly eventId: EventId;
  readonly depth: number;
  readonly stateAfter: StateSnapshotId;
}

export interface RoomHead {
  readonly roomId: RoomId;
  readonly roomVersion: RoomVersionId;
  readonly creator: UserId;
  /** Undefined only while the room is being created. */
  readonly createEventId: EventId | undefined;
  readonly extremities: readonly Extremity[];
  /** The states after the extremities, resolved. */
  readonly currentState: StateSnapshotId;
  readonly joinedMembers: number;
  readonly invitedMembers: number;
  /** Joined users of this server: the room is resident while there are any. */
  readonly localMembers: number;
  readonly visibility: HistoryVisibility;
  readonly encrypted: boolean;
}

export function emptyHead(room: Pick<RoomHead, 'roomId' | 'roomVersion' | 'creator'>): RoomHead {
  return {
    roomId: room.roomId,
    roomVersion: room.roomVersion,
    creator: room.creator,
    createEventId: undefined,
    extremities: [],
    currentState: EMPTY_STATE,
    joinedMembers: 0,
    invitedMembers: 0,
    localMembers: 0,
    visibility: 'shared',
    encrypted: false,
  };
}
