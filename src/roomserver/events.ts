// Stored events by id, behind a bounded cache of parsed ones.

import type { StateSnapshotId } from '../eventlog/entries.ts';
import type { Pdu } from '../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../protocol/identifiers.ts';
import type { HistoryVisibility } from '../protocol/visibility.ts';

/**
 * accepted: in the room's DAG and known to the log. old: backfilled. outlier: known for its content only, without
 * a place in the DAG. softFailed and rejected: as the specification says.
 */
export type Standing = 'accepted' | 'old' | 'outlier' | 'softFailed' | 'rejected';

/** A stored event with what the roomserver knows of it. Immutable: a redaction makes a new one. */
export interface EventRecord {
  /** Redacted, once a redaction applies. */
  readonly pdu: Pdu;
  readonly roomId: RoomId;
  readonly standing: Standing;
  /** Why it was rejected or soft-failed. */
  readonly reason: string | undefined;
  /** Undefined for outliers. */
  readonly stateBefore: StateSnapshotId | undefined;
  /** Equals `stateBefore` unless this is an accepted or soft-failed state event. */
  readonly stateAfter: StateSnapshotId | undefined;
  readonly replacesState: EventId | undefined;
  readonly visibility: HistoryVisibility | undefined;
  readonly redactedBy: EventId | undefined;
}

export interface Events {
  get(id: EventId): Promise<EventRecord | undefined>;
  /** Unknown ids are absent. */
  load(ids: readonly EventId[]): Promise<Map<EventId, EventRecord>>;
}
