// Peeks of other servers that have ended without their will, of which they are still to be told (`expired_peeks`, MSC2444).

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export interface ExpiredPeek {
  readonly roomId: RoomId;
  readonly peekId: string;
}

/** Ends peeks into the room. Returns the destinations that are to be told. */
export async function expirePeeksOfRoom(tx: Transaction, roomId: RoomId): Promise<number[]> {
  await tx.run(sql`
    INSERT INTO federationsender_expired_peeks (destination_id, room_id, peek_id)
    SELECT destination_id, room_id, peek_id FROM federationsender_inbound_peeks
    WHERE room_id = ${roomId} ON CONFLICT DO NOTHING`);
  const found = await tx.all<{ destination_id: number }>(sql`
    DELETE FROM federationsender_inbound_peeks WHERE room_id = ${roomId} RETURNING destination_id`);
  return found.map((row) => row.destination_id);
}

/** Ends peeks of some destinations into the room: these are to be told, and of what they have missed no more than that. */
export async function expirePeeksOf(
  tx: Transaction,
  roomId: RoomId,
  destinationIds: readonly number[],
): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_expired_peeks (destination_id, room_id, peek_id)
    SELECT destination_id, room_id, peek_id FROM federationsender_inbound_peeks
    WHERE room_id = ${roomId} AND destination_id IN ${list('bigint', destinationIds)}
    ON CONFLICT DO NOTHING`);
  await tx.run(sql`
    DELETE FROM federationsender_inbound_peeks
    WHERE room_id = ${roomId} AND destination_id IN ${list('bigint', destinationIds)}`);
  await tx.run(sql`
    DELETE FROM federationsender_missed
    WHERE room_id = ${roomId} AND destination_id IN ${list('bigint', destinationIds)}
      AND until_position IS NULL AND NOT EXISTS (SELECT 1 FROM federationsender_hosts h
        WHERE h.room_id = ${roomId} AND h.destination_id = federationsender_missed.destination_id)`);
}

/** Ends peeks that were not renewed in time. Returns the destinations that are to be told. */
export async function expirePeeksBefore(tx: Transaction, now: number): Promise<number[]> {
  await tx.run(sql`
    INSERT INTO federationsender_expired_peeks (destination_id, room_id, peek_id)
    SELECT destination_id, room_id, peek_id FROM federationsender_inbound_peeks
    WHERE expiry_ts <= ${now} ON CONFLICT DO NOTHING`);
  const found = await tx.all<{ destination_id: number }>(sql`
    DELETE FROM federationsender_inbound_peeks WHERE expiry_ts <= ${now} RETURNING destination_id`);
  return found.map((row) => row.destination_id);
}

export async function selectExpiredPeeks(
  database: Queryable,
  destinationId: number,
  limit: number,
): Promise<ExpiredPeek[]> {
  const found = await database.all<{ room_id: RoomId; peek_id: string }>(sql`
    SELECT room_id, peek_id FROM federationsender_expired_peeks
    WHERE destination_id = ${destinationId} ORDER BY room_id, peek_id LIMIT ${limit}`);
  return found.map((row) => ({ roomId: row.room_id, peekId: row.peek_id }));
}

/** It was told, or has begun anew. */
export async function deleteExpiredPeeks(
  tx: Transaction,
  destinationId: number,
  peeks: readonly ExpiredPeek[],
): Promise<void> {
  for (const { roomId, peekId } of peeks) {
    await tx.run(sql`
      DELETE FROM federationsender_expired_peeks
      WHERE destination_id = ${destinationId} AND room_id = ${roomId} AND peek_id = ${peekId}`);
  }
}
