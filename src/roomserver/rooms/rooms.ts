// The one way to change a room: work runs under the room's lock on a draft of its head, and is answered after COMMIT.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomDraft } from './room-draft.ts';
import type { RoomHead } from './room-head.ts';

export interface Committed<T> {
  readonly value: T;
  /** Position in `roomserver.output` by which the work's entries are in the log. */
  readonly position: number;
}

/**
 * Fails alone: what it has done to the draft is undone when it throws, and its error reaches its caller only. It may be
 * run again from the beginning, on another draft, and so does nothing but read and change the draft.
 */
export type RoomWork<T> = (room: RoomDraft) => Promise<T>;

export type NewRoom = Pick<RoomHead, 'roomId' | 'roomVersion' | 'creator'>;

export interface Rooms {
  /** The committed head; undefined for rooms that this server does not know. */
  head(roomId: RoomId): Promise<RoomHead | undefined>;
  /**
   * Runs `work` under the room's lock. Work that waits for the same room is done as one batch and shares one
   * transaction, so that work sees what was done before it in the batch though it is not committed. It may read the
   * database; it must not wait for the network, or for another room's lock. Throws M_NOT_FOUND for unknown rooms.
   */
  change<T>(roomId: RoomId, work: RoomWork<T>): Promise<Committed<T>>;
  /** As `change`, for a room that does not exist yet: `work` begins with an empty head. Throws M_ROOM_IN_USE. */
  create<T>(room: NewRoom, work: RoomWork<T>): Promise<Committed<T>>;
}
