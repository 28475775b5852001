// Rooms of which other servers are told.

import type { Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';

/** Those of the rooms that other servers are in or have been in, and whether somebody looks into them. */
export async function selectSharedRooms(
  tx: Transaction,
  roomIds: readonly RoomId[],
): Promise<Map<RoomId, { peeked: boolean }>> {
  const found = await tx.all<{ room_id: string; peeked: number }>(sql`
    SELECT room_id, EXISTS (
      SELECT 1 FROM federationsender_inbound_peeks p
      WHERE p.room_id = federationsender_rooms.room_id) AS peeked
    FROM federationsender_rooms WHERE room_id IN ${list('text', roomIds)}`);
  return new Map(found.map((row) => [row.room_id as RoomId, { peeked: row.peeked === 1 }]));
}

export async function insertRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_rooms (room_id, latest_own)
    SELECT room_id, CAST(NULL AS BIGINT) FROM ${rows({ room_id: 'text' }, [{ room_id: roomId }])}
    WHERE true ON CONFLICT DO NOTHING`);
}

export async function updateLatestOwn(
  tx: Transaction,
  roomId: RoomId,
  position: number,
): Promise<void> {
  await tx.run(
    sql`UPDATE federationsender_rooms SET latest_own = ${position} WHERE room_id = ${roomId}`,
  );
}

/** `extremities`: after the event, of which it need not be one. */
export async function updateExtremities(
  tx: Transaction,
  roomId: RoomId,
  event: {
    readonly eventId: EventId;
    readonly position: number;
    readonly extremities: readonly EventId[];
  },
): Promise<void> {
  const { eventId, position, extremities } = event;
  await tx.run(sql`
    DELETE FROM federationsender_extremities
    WHERE room_id = ${roomId} AND event_id NOT IN ${list('text', extremities)}`);
  if (!extremities.includes(eventId)) return;
  await tx.run(sql`
    INSERT INTO federationsender_extremities (room_id, event_id, position)
    VALUES (${roomId}, ${eventId}, ${position}) ON CONFLICT DO NOTHING`);
}

export async function deleteRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM federationsender_extremities WHERE room_id = ${roomId}`);
  await tx.run(sql`DELETE FROM federationsender_rooms WHERE room_id = ${roomId}`);
}
