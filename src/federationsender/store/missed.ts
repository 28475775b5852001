// What destinations that are away have missed: not which events, only of which rooms.

import type { Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

/** The servers joined now that catch up have missed an event. Those that have missed one before cost nothing. */
export async function insertMissedByHosts(
  tx: Transaction,
  roomId: RoomId,
  except: number,
): Promise<void> {
  const noted = await tx.run(sql`
    UPDATE federationsender_hosts SET away = 2
    WHERE room_id = ${roomId} AND away = 1 AND destination_id <> ${except}`);
  if (noted === 0) return;
  await tx.run(sql`
    INSERT INTO federationsender_missed (destination_id, room_id, until_position)
    SELECT h.destination_id, h.room_id, CAST(NULL AS BIGINT) FROM federationsender_hosts h
    WHERE h.room_id = ${roomId} AND h.away = 2
    ON CONFLICT (destination_id, room_id) DO UPDATE SET until_position = NULL
      WHERE federationsender_missed.until_position IS NOT NULL`);
}

export async function insertMissedByPeeks(
  tx: Transaction,
  roomId: RoomId,
  { position, now }: { readonly position: number; readonly now: number },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_missed (destination_id, room_id, until_position)
    SELECT DISTINCT d.id, p.room_id, CAST(NULL AS BIGINT) FROM federationsender_inbound_peeks p
    JOIN federationsender_destinations d ON d.id = p.destination_id
    WHERE p.room_id = ${roomId} AND p.cut_position < ${position} AND p.expiry_ts > ${now}
      AND d.catching_up = 1
    ON CONFLICT (destination_id, room_id) DO UPDATE SET until_position = NULL
      WHERE federationsender_missed.until_position IS NOT NULL`);
}

/** Servers that are not in the room have missed the one event. */
export async function insertMissedBy(
  tx: Transaction,
  destinationIds: readonly number[],
  { roomId, position }: { readonly roomId: RoomId; readonly position: number },
): Promise<void> {
  if (destinationIds.length === 0) return;
  await tx.run(sql`
    INSERT INTO federationsender_missed (destination_id, room_id, until_position)
    SELECT d.id, r.room_id, r.position FROM ${rows({ room_id: 'text', position: 'bigint' }, [
      { room_id: roomId, position },
    ])}
    JOIN federationsender_destinations d
      ON d.id IN ${list('bigint', destinationIds)} AND d.catching_up = 1
    WHERE true ON CONFLICT (destination_id, room_id)
      DO UPDATE SET until_position = excluded.until_position
      WHERE federationsender_missed.until_position IS NOT NULL`);
}

/** They have left: what comes after the last event so far is not for them. */
export async function updateMissedUntil(
  tx: Transaction,
  roomId: RoomId,
  destinationIds: readonly number[],
): Promise<void> {
  if (destinationIds.length === 0) return;
  await tx.run(sql`
    UPDATE federationsender_missed SET until_position = (
      SELECT latest_own FROM federationsender_rooms r WHERE r.room_id = ${roomId})
    WHERE room_id = ${roomId} AND until_position IS NULL
      AND destination_id IN ${list('bigint', destinationIds)}`);
}

/**
 * Of so many of the events that are queued after the position, only the rooms are kept. False when there are more. What has
 * been noted of a room meanwhile may be later than all that is queued of it.
 */
export async function collapseQueue(
  tx: Transaction,
  destinationId: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<boolean> {
  const found = await tx.get<{ last: number | null; count: number }>(sql`
    SELECT MAX(position) AS last, COUNT(*) AS count FROM (
      SELECT position FROM federationsender_queue
      WHERE destination_id = ${destinationId} AND position > ${after}
      ORDER BY position LIMIT ${limit}) AS first_ones`);
  const { last = null, count = 0 } = found ?? {};
  if (last === null) return true;
  await tx.run(sql`
    INSERT INTO federationsender_missed (destination_id, room_id, until_position)
    SELECT q.destination_id, p.room_id, CASE
      WHEN EXISTS (SELECT 1 FROM federationsender_hosts h
        WHERE h.room_id = p.room_id AND h.destination_id = q.destination_id) THEN NULL
      WHEN EXISTS (SELECT 1 FROM federationsender_inbound_peeks i
        WHERE i.room_id = p.room_id AND i.destination_id = q.destination_id) THEN NULL
      ELSE MAX(q.position) END
    FROM federationsender_queue q JOIN federationsender_pdus p ON p.position = q.position
    WHERE q.destination_id = ${destinationId} AND q.position > ${after} AND q.position <= ${last}
    GROUP BY q.destination_id, p.room_id
    ON CONFLICT (destination_id, room_id) DO UPDATE SET until_position = excluded.until_position
      WHERE excluded.until_position IS NULL OR federationsender_missed.until_position IS NULL
        OR federationsender_missed.until_position < excluded.until_position`);
  await tx.run(sql`
    DELETE FROM federationsender_queue
    WHERE destination_id = ${destinationId} AND position > ${after} AND position <= ${last}`);
  return count < limit;
}

/**
 * Queues the latest events of so many of the rooms in place of all that was missed of them. False when there are more.
 * Of our own events the latest has all others before it; to who only looks in, others' events are told too, of which no
 * single one need have all others before it.
 */
export async function queueMissed(
  tx: Transaction,
  destinationId: number,
  limit: number,
): Promise<boolean> {
  const found = await tx.all<{ room_id: string }>(sql`
    SELECT room_id FROM federationsender_missed
    WHERE destination_id = ${destinationId} LIMIT ${limit + 1}`);
  const roomIds = found.slice(0, limit).map((row) => row.room_id);
  await tx.run(sql`
    INSERT INTO federationsender_queue (destination_id, position)
    SELECT m.destination_id, COALESCE(m.until_position, r.latest_own)
    FROM federationsender_missed m LEFT JOIN federationsender_rooms r ON r.room_id = m.room_id
    WHERE m.destination_id = ${destinationId} AND m.room_id IN ${list('text', roomIds)}
      AND COALESCE(m.until_position, r.latest_own) IS NOT NULL
      AND (m.until_position IS NOT NULL OR EXISTS (SELECT 1 FROM federationsender_hosts h
        WHERE h.room_id = m.room_id AND h.destination_id = m.destination_id))
    ON CONFLICT DO NOTHING`);
  await tx.run(sql`
    INSERT INTO federationsender_queue (destination_id, position)
    SELECT m.destination_id, e.position
    FROM federationsender_missed m JOIN federationsender_extremities e ON e.room_id = m.room_id
    WHERE m.destination_id = ${destinationId} AND m.room_id IN ${list('text', roomIds)}
      AND m.until_position IS NULL AND NOT EXISTS (SELECT 1 FROM federationsender_hosts h
        WHERE h.room_id = m.room_id AND h.destination_id = m.destination_id)
    ON CONFLICT DO NOTHING`);
  await tx.run(sql`
    DELETE FROM federationsender_missed
    WHERE destination_id = ${destinationId} AND room_id IN ${list('text', roomIds)}`);
  await tx.run(sql`
    UPDATE federationsender_hosts SET away = 1
    WHERE destination_id = ${destinationId} AND away = 2 AND room_id IN ${list('text', roomIds)}`);
  return found.length <= limit;
}

export async function deleteMissedOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM federationsender_missed WHERE room_id = ${roomId}`);
}
