// A stored event with what the roomserver knows of it.

import type { StateSnapshotId } from '../eventlog/entries.ts';
import type { Pdu } from '../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../protocol/identifiers.ts';
import type { HistoryVisibility } from '../protocol/visibility.ts';

/**
 * accepted: in the room's DAG and known to the log. old: backfilled. outlier: known for its content only, without
 * a place in the DAG. softFailed and rejected: as the specification says.
 */
export type Standing = 'accepted' | 'old' | 'outlier' | 'softFailed' | 'rejected';

/** Immutable: a redaction makes a new one. */
export interface EventRecord {
  /** Redacted, once a redaction applies. */
  readonly pdu: Pdu;
  readonly roomId: RoomId;
  readonly standing: Standing;
  /** Why it was rejected or soft-failed; of an accepted redaction, why it is withheld from clients. */
  readonly reason: string | undefined;
  /** Undefined for outliers. */
  readonly stateBefore: StateSnapshotId | undefined;
  /** Equals `stateBefore` unless this is a state event that was not rejected. */
  readonly stateAfter: StateSnapshotId | undefined;
  /** For state events: what held their key in `stateBefore`. */
  readonly replacesState: EventId | undefined;
  readonly visibility: HistoryVisibility | undefined;
  readonly redactedBy: EventId | undefined;
}
