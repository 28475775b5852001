// Events that wait to be sent: each is kept once, with a row for every destination that has not got it.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export interface QueuedPdu {
  readonly position: number;
  readonly roomId: RoomId;
  /** JSON. */
  readonly json: string;
}

type Ids = { destination_id: number }[];

export async function insertPdu(tx: Transaction, pdu: QueuedPdu): Promise<void> {
  const data = [{ position: pdu.position, room_id: pdu.roomId, json: pdu.json }];
  await tx.run(sql`
    INSERT INTO federationsender_pdus (position, room_id, json)
    SELECT position, room_id, json
    FROM ${rows({ position: 'bigint', room_id: 'text', json: 'text' }, data)}`);
}

/** For the servers that are joined now, but one. Returns those that are to send it. */
export async function insertQueueOfHosts(
  tx: Transaction,
  roomId: RoomId,
  { position, except }: { readonly position: number; readonly except: number },
): Promise<number[]> {
  const found = await tx.all<Ids[number]>(sql`
    INSERT INTO federationsender_queue (destination_id, position)
    SELECT h.destination_id, CAST(${position} AS BIGINT) FROM federationsender_hosts h
    WHERE h.room_id = ${roomId} AND h.away = 0 AND h.destination_id <> ${except}
    ON CONFLICT DO NOTHING RETURNING destination_id`);
  return found.map((row) => row.destination_id);
}

/** For the servers that look into the room, each once, and not if it has a row as one that is joined. */
export async function insertQueueOfPeeks(
  tx: Transaction,
  roomId: RoomId,
  {
    position,
    now,
    except,
  }: { readonly position: number; readonly now: number; readonly except: number },
): Promise<number[]> {
  const found = await tx.all<Ids[number]>(sql`
    INSERT INTO federationsender_queue (destination_id, position)
    SELECT DISTINCT d.id, CAST(${position} AS BIGINT) FROM federationsender_inbound_peeks p
    JOIN federationsender_destinations d ON d.id = p.destination_id
    WHERE p.room_id = ${roomId} AND p.cut_position < ${position} AND p.expiry_ts > ${now}
      AND d.catching_up = 0 AND d.id <> ${except}
    ON CONFLICT DO NOTHING RETURNING destination_id`);
  return found.map((row) => row.destination_id);
}

/** For servers by name, such as those of users whose invite is taken back. */
export async function insertQueueOf(
  tx: Transaction,
  destinationIds: readonly number[],
  position: number,
): Promise<number[]> {
  if (destinationIds.length === 0) return [];
  const found = await tx.all<Ids[number]>(sql`
    INSERT INTO federationsender_queue (destination_id, position)
    SELECT d.id, CAST(${position} AS BIGINT) FROM federationsender_destinations d
    WHERE d.id IN ${list('bigint', destinationIds)} AND d.catching_up = 0
    ON CONFLICT DO NOTHING RETURNING destination_id`);
  return found.map((row) => row.destination_id);
}

/** The first events that wait for the destination. */
export async function selectQueue(
  database: Queryable,
  destinationId: number,
  limit: number,
): Promise<number[]> {
  const found = await database.all<{ position: number }>(sql`
    SELECT position FROM federationsender_queue
    WHERE destination_id = ${destinationId} ORDER BY position LIMIT ${limit}`);
  return found.map(({ position }) => position);
}

export async function selectPdus(
  database: Queryable,
  positions: readonly number[],
): Promise<{ position: number; json: string }[]> {
  return database.all(sql`
    SELECT position, json FROM federationsender_pdus
    WHERE position IN ${list('bigint', positions)} ORDER BY position`);
}

export async function deleteQueue(
  tx: Transaction,
  destinationId: number,
  positions: readonly number[],
): Promise<void> {
  if (positions.length === 0) return;
  await tx.run(sql`
    DELETE FROM federationsender_queue
    WHERE destination_id = ${destinationId} AND position IN ${list('bigint', positions)}`);
}

/** Of so many events from `after` on, deletes those that nobody needs any more. Returns the last one looked at. */
export async function deleteSentPdus(
  tx: Transaction,
  range: { readonly after: number; readonly limit: number },
): Promise<number | undefined> {
  const found = await tx.all<{ position: number; needed: number }>(sql`
    SELECT p.position, (
      EXISTS (SELECT 1 FROM federationsender_queue q WHERE q.position = p.position)
      OR EXISTS (SELECT 1 FROM federationsender_rooms r
        WHERE r.room_id = p.room_id AND r.latest_own = p.position)
      OR EXISTS (SELECT 1 FROM federationsender_extremities e
        WHERE e.room_id = p.room_id AND e.position = p.position)
      OR EXISTS (SELECT 1 FROM federationsender_missed m
        WHERE m.room_id = p.room_id AND m.until_position = p.position)) AS needed
    FROM federationsender_pdus p
    WHERE p.position > ${range.after}
    ORDER BY p.position LIMIT ${range.limit}`);
  const positions = found.filter((row) => row.needed === 0).map(({ position }) => position);
  if (positions.length > 0) {
    await tx.run(
      sql`DELETE FROM federationsender_pdus WHERE position IN ${list('bigint', positions)}`,
    );
  }
  return found.at(-1)?.position;
}

export async function selectIsQueued(
  database: Queryable,
  destinationId: number,
  roomId: RoomId,
): Promise<boolean> {
  const found = await database.get(sql`
    SELECT 1 AS queued FROM federationsender_queue q
    JOIN federationsender_pdus p ON p.position = q.position
    WHERE q.destination_id = ${destinationId} AND p.room_id = ${roomId} LIMIT 1`);
  return found !== undefined;
}

/** How many events wait for the destination, counted up to the limit. */
export async function countQueue(
  database: Queryable,
  destinationId: number,
  limit: number,
): Promise<number> {
  const found = await database.get<{ count: number }>(sql`
    SELECT COUNT(*) AS count FROM (
      SELECT 1 FROM federationsender_queue WHERE destination_id = ${destinationId}
      LIMIT ${limit}) AS counted`);
  return found?.count ?? 0;
}
