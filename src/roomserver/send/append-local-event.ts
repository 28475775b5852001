// Builds, authorizes and appends an event of a local user at the end of a room.

import type { EventId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { TransactionKey } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../events.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';

export interface LocalEvent {
  readonly type: string;
  readonly sender: UserId;
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly redacts?: EventId | undefined;
  /** ms since the epoch; absent: now. */
  readonly originServerTs?: number | undefined;
  /** The client's transaction: remembered, and named in the log entry. */
  readonly transaction?: TransactionKey | undefined;
}

/**
 * Appends the event to the draft: authorized against the draft's current state, signed, in the timeline, in the
 * log. A state event that changes nothing is not sent again: the one in force is returned.
 * Errors: M_FORBIDDEN with the rule, M_TOO_LARGE, M_BAD_JSON.
 */
export async function appendLocalEvent(
  _context: RoomserverContext,
  _room: RoomDraft,
  _event: LocalEvent,
): Promise<EventRecord> {
  throw new Error('not written yet');
}
