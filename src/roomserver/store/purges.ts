// roomserver_purges: rooms that are gone, with rows left that are deleted bit by bit; and rooms whose state is just
// arriving, of which a crash leaves such rows.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export async function insertPurge(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_purges (room_id) VALUES (${roomId}) ON CONFLICT DO NOTHING`,
  );
}

/** Rooms that have come into being are left out: their rows are wanted. */
export async function selectPurges(from: Queryable): Promise<RoomId[]> {
  const found = await from.all<{ room_id: RoomId }>(
    sql`SELECT room_id FROM roomserver_purges
      WHERE room_id NOT IN (SELECT room_id FROM roomserver_rooms) ORDER BY room_id`,
  );
  return found.map(({ room_id }) => room_id);
}

export async function deletePurge(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_purges WHERE room_id = ${roomId}`);
}

/** Returns how many there were, at most `limit`. */
export function deleteSomeEvents(tx: Transaction, roomId: RoomId, limit: number): Promise<number> {
  return tx.run(
    sql`DELETE FROM roomserver_events WHERE event_id IN
      (SELECT event_id FROM roomserver_events WHERE room_id = ${roomId} LIMIT ${limit})`,
  );
}

/** Returns how many there were, at most `limit`. */
export function deleteSomeNodes(tx: Transaction, roomId: RoomId, limit: number): Promise<number> {
  return tx.run(
    sql`DELETE FROM roomserver_state_nodes WHERE room_id = ${roomId} AND node_id IN
      (SELECT node_id FROM roomserver_state_nodes WHERE room_id = ${roomId} LIMIT ${limit})`,
  );
}
