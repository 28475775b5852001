// References to events that are not here: prev_events where history has a gap, and redactions that came before
// what they redact.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';

export type MissingReference = {
  readonly room_id: RoomId;
  readonly event_id: EventId;
  readonly referenced_by: EventId;
};

export async function insertMissing(
  tx: Transaction,
  missing: readonly MissingReference[],
): Promise<void> {
  const columns = { room_id: 'text', event_id: 'text', referenced_by: 'text' } as const;
  await tx.run(
    sql`INSERT INTO roomserver_missing_events (room_id, event_id, referenced_by)
      SELECT room_id, event_id, referenced_by FROM ${rows(columns, missing)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

/** Whether others refer to the event, which was not here. */
export async function isReferencedMissing(
  from: Queryable,
  roomId: RoomId,
  eventId: EventId,
): Promise<boolean> {
  const row = await from.get(
    sql`SELECT event_id FROM roomserver_missing_events WHERE room_id = ${roomId} AND event_id = ${eventId} LIMIT 1`,
  );
  return row !== undefined;
}

export interface Gap {
  /** What is missing. */
  readonly eventId: EventId;
  /** Of the deepest event of the range that refers to it. */
  readonly depth: number;
}

/**
 * The missing events to which events of these depths refer, the deepest first: where history goes on, as one goes
 * back in it.
 */
export async function selectGaps(
  from: Queryable,
  roomId: RoomId,
  range: {
    readonly minDepth: number;
    readonly maxDepth: number;
    readonly limit: number;
    /** Of no interest. */
    readonly except: readonly EventId[];
  },
): Promise<Gap[]> {
  const found = await from.all<{ event_id: EventId; depth: number }>(
    sql`SELECT m.event_id, max(e.depth) AS depth FROM roomserver_missing_events m
      JOIN roomserver_events e ON e.event_id = m.referenced_by
      WHERE m.room_id = ${roomId} AND e.depth >= ${range.minDepth} AND e.depth <= ${range.maxDepth}
        AND m.event_id NOT IN ${list('text', range.except)}
      GROUP BY m.event_id ORDER BY max(e.depth) DESC, m.event_id LIMIT ${range.limit}`,
  );
  return found.map(({ event_id: eventId, depth }) => ({ eventId, depth }));
}

export async function deleteMissing(
  tx: Transaction,
  roomId: RoomId,
  eventIds: readonly EventId[],
): Promise<void> {
  await tx.run(
    sql`DELETE FROM roomserver_missing_events
      WHERE room_id = ${roomId} AND event_id IN ${list('text', eventIds)}`,
  );
}

export type WaitingRedaction = {
  readonly room_id: RoomId;
  readonly redacts: EventId;
  readonly redaction_id: EventId;
};

export async function insertWaitingRedactions(
  tx: Transaction,
  waiting: readonly WaitingRedaction[],
): Promise<void> {
  const columns = { room_id: 'text', redacts: 'text', redaction_id: 'text' } as const;
  await tx.run(
    sql`INSERT INTO roomserver_waiting_redactions (room_id, redacts, redaction_id)
      SELECT room_id, redacts, redaction_id FROM ${rows(columns, waiting)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

export async function selectWaitingRedactions(
  from: Queryable,
  roomId: RoomId,
  redacts: EventId,
): Promise<EventId[]> {
  const found = await from.all<{ redaction_id: EventId }>(
    sql`SELECT redaction_id FROM roomserver_waiting_redactions
      WHERE room_id = ${roomId} AND redacts = ${redacts} ORDER BY redaction_id`,
  );
  return found.map(({ redaction_id }) => redaction_id);
}

/** Of the events, those that redactions wait for. */
export async function selectAwaited(
  from: Queryable,
  roomId: RoomId,
  eventIds: readonly EventId[],
): Promise<EventId[]> {
  const found = await from.all<{ redacts: EventId }>(
    sql`SELECT DISTINCT redacts FROM roomserver_waiting_redactions
      WHERE room_id = ${roomId} AND redacts IN ${list('text', eventIds)}`,
  );
  return found.map(({ redacts }) => redacts);
}

export async function deleteWaitingRedactions(
  tx: Transaction,
  roomId: RoomId,
  redacted: readonly EventId[],
): Promise<void> {
  await tx.run(
    sql`DELETE FROM roomserver_waiting_redactions
      WHERE room_id = ${roomId} AND redacts IN ${list('text', redacted)}`,
  );
}

export async function deleteReferences(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_missing_events WHERE room_id = ${roomId}`);
  await tx.run(sql`DELETE FROM roomserver_waiting_redactions WHERE room_id = ${roomId}`);
}
