// roomserver_events: every event that is known, with its standing and its place in the room's history.

import type { Queryable, Transaction } from '../../database/database.ts';
import { DatabaseError } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import { Pdu, type PduJson } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import { parseJsonExactly } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';
import type { EventRecord, Standing } from '../event-record.ts';

interface EventRow {
  readonly event_id: EventId;
  readonly room_id: RoomId;
  readonly room_version: RoomVersionId;
  readonly standing: Standing;
  readonly reason: string | null;
  readonly state_before: string | null;
  readonly state_after: string | null;
  readonly replaces_state: EventId | null;
  readonly visibility: HistoryVisibility | null;
  readonly redacted_by: EventId | null;
  readonly json: string;
}

export async function selectEvents(
  from: Queryable,
  eventIds: readonly EventId[],
): Promise<EventRecord[]> {
  const found = await from.all<EventRow>(
    sql`SELECT event_id, room_id, room_version, standing, reason, state_before, state_after, replaces_state,
        visibility, redacted_by, json
      FROM roomserver_events WHERE event_id IN ${list('text', eventIds)}`,
  );
  return found.map(recordOf);
}

interface Stretch {
  readonly roomId: RoomId;
  /** Of the event to begin with. */
  readonly depth: number;
  readonly limit: number;
}

/** Events with a place in history, deepest first. */
export async function selectEventIdsUpTo(
  from: Queryable,
  { roomId, depth, limit }: Stretch,
): Promise<EventId[]> {
  const found = await from.all<{ event_id: EventId }>(
    sql`SELECT event_id FROM roomserver_events
      WHERE room_id = ${roomId} AND depth <= ${depth} AND state_before IS NOT NULL
      ORDER BY depth DESC LIMIT ${limit}`,
  );
  return found.map(({ event_id }) => event_id);
}

/** Events with a place in history, least deep first. */
export async function selectEventIdsFrom(
  from: Queryable,
  { roomId, depth, limit }: Stretch,
): Promise<EventId[]> {
  const found = await from.all<{ event_id: EventId }>(
    sql`SELECT event_id FROM roomserver_events
      WHERE room_id = ${roomId} AND depth >= ${depth} AND state_before IS NOT NULL
      ORDER BY depth LIMIT ${limit}`,
  );
  return found.map(({ event_id }) => event_id);
}

export async function selectDepthRange(
  from: Queryable,
  roomId: RoomId,
): Promise<{ readonly least: number; readonly greatest: number } | undefined> {
  const row = await from.get<{ least: number | null; greatest: number | null }>(
    sql`SELECT min(depth) AS least, max(depth) AS greatest FROM roomserver_events WHERE room_id = ${roomId}`,
  );
  if (row === undefined || row.least === null || row.greatest === null) return undefined;
  return { least: row.least, greatest: row.greatest };
}

function recordOf(row: EventRow): EventRecord {
  const json = parseJsonExactly(row.json) as PduJson;
  const record = { eventId: row.event_id, roomVersion: row.room_version, json };
  return {
    pdu: Pdu.from(record, row.json),
    roomId: row.room_id,
    standing: row.standing,
    reason: row.reason ?? undefined,
    stateBefore: row.state_before ?? undefined,
    stateAfter: row.state_after ?? row.state_before ?? undefined,
    replacesState: row.replaces_state ?? undefined,
    visibility: row.visibility ?? undefined,
    redactedBy: row.redacted_by ?? undefined,
  };
}

/** Of the first event of the room that has a place in its history: before it nothing is known. */
export async function selectLeastDepth(from: Queryable, roomId: RoomId): Promise<number> {
  const row = await from.get<{ depth: number }>(
    sql`SELECT depth FROM roomserver_events
      WHERE room_id = ${roomId} AND state_before IS NOT NULL ORDER BY depth LIMIT 1`,
  );
  return row?.depth ?? 0;
}

const COLUMNS = {
  event_id: 'text',
  room_id: 'text',
  room_version: 'text',
  type: 'text',
  sender: 'text',
  depth: 'bigint',
  standing: 'text',
  reason: 'text',
  state_before: 'text',
  state_after: 'text',
  replaces_state: 'text',
  visibility: 'text',
  redacted_by: 'text',
  json: 'text',
} as const;

function rowOf({ pdu, ...record }: EventRecord) {
  return {
    event_id: pdu.eventId,
    room_id: record.roomId,
    room_version: pdu.roomVersion,
    type: pdu.type,
    sender: pdu.sender,
    depth: pdu.depth,
    standing: record.standing,
    reason: record.reason ?? null,
    state_before: record.stateBefore ?? null,
    state_after: record.stateAfter === record.stateBefore ? null : (record.stateAfter ?? null),
    replaces_state: record.replacesState ?? null,
    visibility: record.visibility ?? null,
    redacted_by: record.redactedBy ?? null,
    json: pdu.jsonText,
  };
}

/** New events, and those without a place in the DAG that get one. Throws when an id is taken by another row. */
export async function insertEvents(
  tx: Transaction,
  records: readonly EventRecord[],
): Promise<void> {
  const written = await tx.run(
    sql`INSERT INTO roomserver_events (event_id, room_id, room_version, type, sender, depth, standing, reason,
        state_before, state_after, replaces_state, visibility, redacted_by, json)
      SELECT event_id, room_id, room_version, type, sender, depth, standing, reason,
        state_before, state_after, replaces_state, visibility, redacted_by, json
      FROM ${rows(COLUMNS, records.map(rowOf))}
      WHERE true
      ON CONFLICT (event_id) DO UPDATE SET standing = excluded.standing, reason = excluded.reason,
        state_before = excluded.state_before, state_after = excluded.state_after,
        replaces_state = excluded.replaces_state, visibility = excluded.visibility,
        redacted_by = excluded.redacted_by, json = excluded.json
      WHERE roomserver_events.state_before IS NULL AND roomserver_events.room_id = excluded.room_id`,
  );
  if (written !== records.length) throw new DatabaseError('unique', 'an event id is taken');
}

/** Events without a place in the DAG. Those that are known already stay as they are. */
export async function insertOutliers(
  tx: Transaction,
  records: readonly EventRecord[],
): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_events (event_id, room_id, room_version, type, sender, depth, standing, reason, json)
      SELECT event_id, room_id, room_version, type, sender, depth, standing, reason, json
      FROM ${rows(COLUMNS, records.map(rowOf))}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

/** What may change of a stored event. */
export async function updateEvents(
  tx: Transaction,
  records: readonly EventRecord[],
): Promise<void> {
  const columns = { event_id: 'text', reason: 'text', redacted_by: 'text', json: 'text' } as const;
  await tx.run(
    sql`UPDATE roomserver_events SET reason = r.reason, redacted_by = r.redacted_by, json = r.json
      FROM ${rows(columns, records.map(rowOf))} WHERE roomserver_events.event_id = r.event_id`,
  );
}
