// Rows of rooms' timelines: where each event stands, without its body.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { DeviceId, EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';

/** `replaced`: the state changed without an event. `anew`: likewise, and what came before is not continued here. */
export type RowKind = 'event' | 'replaced' | 'anew';

const KINDS: readonly RowKind[] = ['event', 'replaced', 'anew'];

export interface TimelineRow {
  /** Of the log entry; negative for backfilled history. */
  readonly position: number;
  readonly roomId: RoomId;
  readonly kind: RowKind;
  /** '' unless `kind` is `event`, like `type` and `sender`. */
  readonly eventId: EventId;
  readonly type: string;
  readonly sender: UserId;
  readonly stateKey: string | undefined;
  readonly depth: number;
  readonly stateBefore: StateSnapshotId;
  /** The room's state once this row holds. */
  readonly currentState: StateSnapshotId;
  /** In force at the event. */
  readonly visibility: HistoryVisibility;
  /** The state before is that after the row before, and the only change of it is this event itself. */
  readonly linear: boolean;
  readonly containsUrl: boolean;
  readonly relType: string | undefined;
  readonly relatesTo: EventId | undefined;
  /** ms since the epoch. */
  readonly receivedTs: number;
  /** The device that sent the event, and its transaction. */
  readonly deviceId: DeviceId | undefined;
  readonly transactionId: string | undefined;
}

export interface StoredRow {
  readonly position: number;
  readonly room_id: string;
  readonly kind: number;
  readonly event_id: string | null;
  readonly type: string;
  readonly sender: string;
  readonly state_key: string | null;
  readonly depth: number;
  readonly state_before: string;
  readonly current_state: string | null;
  readonly visibility: string;
  readonly linear: number;
  readonly contains_url: number;
  readonly rel_type: string | null;
  readonly relates_to: string | null;
  readonly received_ts: number;
  readonly device_id: string | null;
  readonly transaction_id: string | null;
}

export async function insertTimelineRows(
  tx: Transaction,
  added: readonly TimelineRow[],
): Promise<void> {
  if (added.length === 0) return;
  await tx.run(sql`
    INSERT INTO syncapi_timeline (
      position, room_id, kind, event_id, type, sender, state_key, depth, state_before, current_state,
      visibility, linear, contains_url, rel_type, relates_to, received_ts, device_id, transaction_id)
    SELECT
      position, room_id, kind, event_id, type, sender, state_key, depth, state_before, current_state,
      visibility, linear, contains_url, rel_type, relates_to, received_ts, device_id, transaction_id
    FROM ${rows(COLUMNS, added.map(toStored))}`);
}

const COLUMNS = {
  position: 'bigint',
  room_id: 'text',
  kind: 'bigint',
  event_id: 'text',
  type: 'text',
  sender: 'text',
  state_key: 'text',
  depth: 'bigint',
  state_before: 'text',
  current_state: 'text',
  visibility: 'text',
  linear: 'bigint',
  contains_url: 'bigint',
  rel_type: 'text',
  relates_to: 'text',
  received_ts: 'bigint',
  device_id: 'text',
  transaction_id: 'text',
} as const;

/** Live rows of a room after `after`, exclusive, and up to `upTo`. */
interface LiveRange {
  readonly roomId: RoomId;
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
}

/** Newest first. */
export async function selectTimeline(
  database: Queryable,
  { roomId, after, upTo, limit }: LiveRange,
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id = ${roomId} AND position > ${Math.max(after, 0)} AND position <= ${upTo}
    ORDER BY position DESC LIMIT ${limit}`);
  return found.map(fromStored);
}

/** Oldest first. */
export async function selectEarliest(
  database: Queryable,
  { roomId, after, upTo, limit }: LiveRange,
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id = ${roomId} AND position > ${Math.max(after, 0)} AND position <= ${upTo}
    ORDER BY position LIMIT ${limit}`);
  return found.map(fromStored);
}

/** The newest live row of each room; rooms without any are left out. */
export async function selectLatestRows(
  database: Queryable,
  roomIds: readonly RoomId[],
): Promise<TimelineRow[]> {
  const data = roomIds.map((room_id) => ({ room_id }));
  const found = await database.all<StoredRow>(sql`
    SELECT t.* FROM ${rows({ room_id: 'text' }, data)}
    JOIN syncapi_timeline t ON t.position = (
      SELECT x.position FROM syncapi_timeline x
      WHERE x.room_id = r.room_id AND x.position > 0
      ORDER BY x.position DESC LIMIT 1)`);
  return found.map(fromStored);
}

/** Whether a member event, or a change of the whole state, is among the live rows of the range. */
export async function selectHasMemberChange(
  database: Queryable,
  range: { readonly roomId: RoomId; readonly after: number; readonly upTo: number },
): Promise<boolean> {
  const found = await database.get(sql`
    SELECT position FROM syncapi_timeline
    WHERE room_id = ${range.roomId} AND position > ${range.after} AND position <= ${range.upTo}
      AND (type = 'm.room.member' OR kind > 0)
    LIMIT 1`);
  return found !== undefined;
}

export async function selectRowsOfEvents(
  database: Queryable,
  eventIds: readonly EventId[],
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline WHERE event_id IN ${list('text', eventIds)}`);
  return found.map(fromStored);
}

/** A place in the order of depth; within one depth that of arrival. */
export interface Point {
  readonly depth: number;
  readonly position: number;
}

/** Events at or before `from` (and after `to`), the latest first. Of live rows only those that arrived up to `upTo`. */
export async function selectBackwards(
  database: Queryable,
  range: {
    readonly roomId: RoomId;
    readonly from: Point;
    readonly to: Point;
    readonly upTo: number;
    readonly limit: number;
  },
): Promise<TimelineRow[]> {
  const { from, to } = range;
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id = ${range.roomId} AND kind = 0 AND position <= ${range.upTo}
      AND depth <= ${from.depth} AND (depth < ${from.depth} OR position <= ${from.position})
      AND depth >= ${to.depth} AND (depth > ${to.depth} OR position > ${to.position})
    ORDER BY depth DESC, position DESC LIMIT ${range.limit}`);
  return found.map(fromStored);
}

/** Events after `from` and at or before `to`, the earliest first. */
export async function selectForwards(
  database: Queryable,
  range: {
    readonly roomId: RoomId;
    readonly from: Point;
    readonly to: Point;
    readonly upTo: number;
    readonly limit: number;
  },
): Promise<TimelineRow[]> {
  const { from, to } = range;
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id = ${range.roomId} AND kind = 0 AND position <= ${range.upTo}
      AND depth >= ${from.depth} AND (depth > ${from.depth} OR position > ${from.position})
      AND depth <= ${to.depth} AND (depth < ${to.depth} OR position <= ${to.position})
    ORDER BY depth, position LIMIT ${range.limit}`);
  return found.map(fromStored);
}

/** The last live event of that depth range that arrived up to `upTo`; `below` is exclusive, like `above`. */
export async function selectDeepest(
  database: Queryable,
  range: {
    readonly roomId: RoomId;
    readonly upTo: number;
    readonly above: number;
    readonly below: number;
  },
): Promise<Point | undefined> {
  return database.get<{ depth: number; position: number }>(sql`
    SELECT depth, position FROM syncapi_timeline
    WHERE room_id = ${range.roomId} AND kind = 0 AND position > 0 AND position <= ${range.upTo}
      AND depth > ${range.above} AND depth < ${range.below}
    ORDER BY depth DESC, position DESC LIMIT 1`);
}

/** The earliest live row after a position. */
export async function selectFirstAfter(
  database: Queryable,
  roomId: RoomId,
  after: number,
): Promise<TimelineRow | undefined> {
  const found = await database.get<StoredRow>(sql`
    SELECT * FROM syncapi_timeline WHERE room_id = ${roomId} AND position > ${after} AND kind = 0
    ORDER BY position LIMIT 1`);
  return found && fromStored(found);
}

/** The position before the first live row that arrived at `ts` or later; undefined when none did. */
export async function selectPositionAt(
  database: Queryable,
  range: { readonly roomId: RoomId; readonly after: number; readonly ts: number },
): Promise<number | undefined> {
  const found = await database.get<{ position: number }>(sql`
    SELECT position FROM syncapi_timeline
    WHERE room_id = ${range.roomId} AND position > ${range.after} AND received_ts >= ${range.ts}
    ORDER BY position LIMIT 1`);
  return found && found.position - 1;
}

/** The event was redacted, and relates to nothing any more. */
export async function updateRelationRemoved(tx: Transaction, eventId: EventId): Promise<void> {
  await tx.run(sql`
    UPDATE syncapi_timeline SET rel_type = NULL, relates_to = NULL, contains_url = 0
    WHERE event_id = ${eventId}`);
}

function toStored(row: TimelineRow): Readonly<Record<keyof StoredRow, string | number | null>> {
  return {
    position: row.position,
    room_id: row.roomId,
    kind: KINDS.indexOf(row.kind),
    event_id: row.eventId === '' ? null : row.eventId,
    type: row.type,
    sender: row.sender,
    state_key: row.stateKey ?? null,
    depth: row.depth,
    state_before: row.stateBefore,
    current_state: row.currentState === row.stateBefore ? null : row.currentState,
    visibility: row.visibility,
    linear: row.linear ? 1 : 0,
    contains_url: row.containsUrl ? 1 : 0,
    rel_type: row.relType ?? null,
    relates_to: row.relatesTo ?? null,
    received_ts: row.receivedTs,
    device_id: row.deviceId ?? null,
    transaction_id: row.transactionId ?? null,
  };
}

export function fromStored(row: StoredRow): TimelineRow {
  return {
    position: row.position,
    roomId: row.room_id as RoomId,
    kind: KINDS[row.kind] ?? 'event',
    eventId: (row.event_id ?? '') as EventId,
    type: row.type,
    sender: row.sender as UserId,
    stateKey: row.state_key ?? undefined,
    depth: row.depth,
    stateBefore: row.state_before,
    currentState: row.current_state ?? row.state_before,
    visibility: row.visibility as HistoryVisibility,
    linear: row.linear === 1,
    containsUrl: row.contains_url === 1,
    relType: row.rel_type ?? undefined,
    relatesTo: (row.relates_to ?? undefined) as EventId | undefined,
    receivedTs: row.received_ts,
    deviceId: (row.device_id ?? undefined) as DeviceId | undefined,
    transactionId: row.transaction_id ?? undefined,
  };
}
