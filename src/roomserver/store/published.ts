// roomserver_published: the rooms of this server's published room directory. CROSS JOIN makes SQLite begin with these,
// instead of reading through all rooms that there are.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';

export async function insertPublished(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_published (room_id) VALUES (${roomId}) ON CONFLICT DO NOTHING`,
  );
}

export async function deletePublished(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_published WHERE room_id = ${roomId}`);
}

export async function selectIsPublished(from: Queryable, roomId: RoomId): Promise<boolean> {
  const row = await from.get(
    sql`SELECT room_id FROM roomserver_published WHERE room_id = ${roomId}`,
  );
  return row !== undefined;
}

/** A published room in which users of this server are. */
export interface PublishedRow {
  readonly room_id: RoomId;
  readonly joined_members: number;
  readonly current_state: StateSnapshotId;
  readonly visibility: HistoryVisibility;
}

/** A place in the list: between rooms, right before or after the one with these values. */
export interface Place {
  readonly joinedMembers: number;
  readonly roomId: RoomId;
}

/** What comes after a place: most members first, then by id. */
export function selectPublishedAfter(
  from: Queryable,
  place: Place,
  limit: number,
): Promise<PublishedRow[]> {
  return from.all(
    sql`SELECT r.room_id, r.joined_members, r.current_state, r.visibility
      FROM roomserver_published p CROSS JOIN roomserver_rooms r
      WHERE r.room_id = p.room_id AND r.local_members > 0 AND (r.joined_members < ${place.joinedMembers}
        OR (r.joined_members = ${place.joinedMembers} AND r.room_id > ${place.roomId}))
      ORDER BY r.joined_members DESC, r.room_id LIMIT ${limit}`,
  );
}

/** What comes before a place, the nearest first. */
export function selectPublishedBefore(
  from: Queryable,
  place: Place,
  limit: number,
): Promise<PublishedRow[]> {
  return from.all(
    sql`SELECT r.room_id, r.joined_members, r.current_state, r.visibility
      FROM roomserver_published p CROSS JOIN roomserver_rooms r
      WHERE r.room_id = p.room_id AND r.local_members > 0 AND (r.joined_members > ${place.joinedMembers}
        OR (r.joined_members = ${place.joinedMembers} AND r.room_id < ${place.roomId}))
      ORDER BY r.joined_members, r.room_id DESC LIMIT ${limit}`,
  );
}

export async function selectPublishedCount(from: Queryable): Promise<number> {
  const row = await from.get<{ rooms: number }>(
    sql`SELECT COUNT(*) AS rooms FROM roomserver_published p CROSS JOIN roomserver_rooms r
      WHERE r.room_id = p.room_id AND r.local_members > 0`,
  );
  return row?.rooms ?? 0;
}
