// The furthest receipt of each user, type and thread in a room.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { Receipt } from '../../eventlog/entries.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';

export interface StoredReceipt {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly type: Receipt['type'];
  /** '' when unthreaded. */
  readonly threadId: string;
  readonly eventId: EventId;
  /** Where the event stands; 0 when it is not known here. */
  readonly eventPosition: number;
  /** ms since the epoch. */
  readonly ts: number;
  /** Of the log entry. */
  readonly position: number;
}

interface Row {
  readonly room_id: string;
  readonly user_id: string;
  readonly type: string;
  readonly thread_id: string;
  readonly event_id: string;
  readonly event_position: number;
  readonly ts: number;
  readonly position: number;
}

const COLUMNS = {
  room_id: 'text',
  user_id: 'text',
  type: 'text',
  thread_id: 'text',
  event_id: 'text',
  event_position: 'bigint',
  ts: 'bigint',
  position: 'bigint',
} as const;

/** Keeps only what moves a receipt forward, and returns that. At most one for each user, type and thread of a room. */
export async function insertReceipts(
  tx: Transaction,
  receipts: readonly StoredReceipt[],
): Promise<StoredReceipt[]> {
  if (receipts.length === 0) return [];
  const found = await tx.all<Row>(sql`
    INSERT INTO syncapi_receipts
      (room_id, user_id, type, thread_id, event_id, event_position, ts, position)
    SELECT room_id, user_id, type, thread_id, event_id, event_position, ts, position
    FROM ${rows(COLUMNS, receipts.map(toRow))} WHERE true
    ON CONFLICT (room_id, user_id, type, thread_id) DO UPDATE SET
      event_id = excluded.event_id, event_position = excluded.event_position,
      ts = excluded.ts, position = excluded.position
    WHERE excluded.event_position > syncapi_receipts.event_position
    RETURNING *`);
  return found.map(fromRow);
}

/** Receipts of a room that came after `after`, up to `upTo`. */
export async function selectReceipts(
  database: Queryable,
  range: { readonly roomId: RoomId; readonly after: number; readonly upTo: number },
): Promise<StoredReceipt[]> {
  const found = await database.all<Row>(sql`
    SELECT * FROM syncapi_receipts
    WHERE room_id = ${range.roomId} AND position > ${range.after} AND position <= ${range.upTo}
    ORDER BY position`);
  return found.map(fromRow);
}

export async function selectReceiptsOfUser(
  database: Queryable,
  roomId: RoomId,
  userId: UserId,
): Promise<StoredReceipt[]> {
  const found = await database.all<Row>(sql`
    SELECT * FROM syncapi_receipts WHERE room_id = ${roomId} AND user_id = ${userId}`);
  return found.map(fromRow);
}

/** The position of the newest receipt of each room; rooms without any are left out. */
export async function selectLatestReceipts(
  database: Queryable,
  roomIds: readonly RoomId[],
): Promise<{ roomId: RoomId; position: number }[]> {
  const data = roomIds.map((room_id) => ({ room_id }));
  const found = await database.all<{ room_id: string; position: number | null }>(sql`
    SELECT r.room_id AS room_id, (
      SELECT x.position FROM syncapi_receipts x WHERE x.room_id = r.room_id
      ORDER BY x.position DESC LIMIT 1) AS position
    FROM ${rows({ room_id: 'text' }, data)}`);
  return found.flatMap(({ room_id, position }) =>
    position === null ? [] : [{ roomId: room_id as RoomId, position }],
  );
}

function toRow(receipt: StoredReceipt): Readonly<Record<keyof Row, string | number>> {
  return {
    room_id: receipt.roomId,
    user_id: receipt.userId,
    type: receipt.type,
    thread_id: receipt.threadId,
    event_id: receipt.eventId,
    event_position: receipt.eventPosition,
    ts: receipt.ts,
    position: receipt.position,
  };
}

function fromRow(row: Row): StoredReceipt {
  return {
    roomId: row.room_id as RoomId,
    userId: row.user_id as UserId,
    type: row.type as Receipt['type'],
    threadId: row.thread_id,
    eventId: row.event_id as EventId,
    eventPosition: row.event_position,
    ts: row.ts,
    position: row.position,
  };
}
