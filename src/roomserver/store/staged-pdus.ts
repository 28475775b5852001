// roomserver_staged_pdus: events that other servers have sent, verified but not yet received into their rooms.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface StagedPdu {
  /** Rises in order of arrival. */
  readonly id: number;
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly origin: ServerName;
  readonly signedBy: readonly ServerName[];
  readonly json: string;
  /** ms since the epoch. */
  readonly receivedAt: number;
}

interface StagedRow {
  readonly id: number;
  readonly room_id: RoomId;
  readonly event_id: EventId;
  readonly origin: ServerName;
  readonly signed_by: string;
  readonly json: string;
  readonly received_at: number;
}

const COLUMNS = {
  id: 'bigint',
  room_id: 'text',
  event_id: 'text',
  origin: 'text',
  signed_by: 'text',
  json: 'text',
  received_at: 'bigint',
} as const;

/** Those that are staged already, from whomever, are left as they are. Returns how many were new. */
export function insertStagedPdus(tx: Transaction, staged: readonly StagedPdu[]): Promise<number> {
  const data = staged.map((pdu) => ({
    id: pdu.id,
    room_id: pdu.roomId,
    event_id: pdu.eventId,
    origin: pdu.origin,
    signed_by: JSON.stringify(pdu.signedBy),
    json: pdu.json,
    received_at: pdu.receivedAt,
  }));
  return tx.run(
    sql`INSERT INTO roomserver_staged_pdus (id, room_id, event_id, origin, signed_by, json, received_at)
      SELECT id, room_id, event_id, origin, signed_by, json, received_at FROM ${rows(COLUMNS, data)}
      WHERE true ON CONFLICT (room_id, event_id) DO NOTHING`,
  );
}

export async function selectStagedPdus(
  from: Queryable,
  {
    roomId,
    origin,
    without,
    limit,
  }: {
    readonly roomId: RoomId;
    readonly origin: ServerName;
    readonly without: readonly number[];
    readonly limit: number;
  },
): Promise<StagedPdu[]> {
  const found = await from.all<StagedRow>(
    sql`SELECT id, room_id, event_id, origin, signed_by, json, received_at FROM roomserver_staged_pdus
      WHERE room_id = ${roomId} AND origin = ${origin} AND id NOT IN ${list('bigint', without)}
      ORDER BY id LIMIT ${limit}`,
  );
  return found.map((row) => ({
    id: row.id,
    roomId: row.room_id,
    eventId: row.event_id,
    origin: row.origin,
    signedBy: JSON.parse(row.signed_by) as ServerName[],
    json: row.json,
    receivedAt: row.received_at,
  }));
}

export async function selectStagedIds(
  from: Queryable,
  roomId: RoomId,
  eventIds: readonly EventId[],
): Promise<Set<EventId>> {
  const found = await from.all<{ event_id: EventId }>(
    sql`SELECT event_id FROM roomserver_staged_pdus
      WHERE room_id = ${roomId} AND event_id IN ${list('text', eventIds)}`,
  );
  return new Set(found.map(({ event_id }) => event_id));
}

export async function deleteStagedPdus(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_staged_pdus WHERE id IN ${list('bigint', ids)}`);
}

export interface Backlog {
  readonly roomId: RoomId;
  readonly origin: ServerName;
  readonly count: number;
}

export async function selectBacklogs(from: Queryable): Promise<Backlog[]> {
  const found = await from.all<{ room_id: RoomId; origin: ServerName; count: number }>(
    sql`SELECT room_id, origin, count(*) AS count FROM roomserver_staged_pdus
      GROUP BY room_id, origin ORDER BY min(id)`,
  );
  return found.map(({ room_id, origin, count }) => ({ roomId: room_id, origin, count }));
}

export async function selectLastStagedId(from: Queryable): Promise<number> {
  const row = await from.get<{ last: number | null }>(
    sql`SELECT max(id) AS last FROM roomserver_staged_pdus`,
  );
  return row?.last ?? 0;
}
