// syncapi_purges: rooms that are gone, with rows left that are deleted bit by bit. A room of the same id that comes
// into being meanwhile has later positions only.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export interface Purge {
  readonly roomId: RoomId;
  /** Rows up to here go. */
  readonly position: number;
}

export async function insertPurge(tx: Transaction, { roomId, position }: Purge): Promise<void> {
  await tx.run(sql`
    INSERT INTO syncapi_purges (room_id, position) VALUES (${roomId}, ${position})
    ON CONFLICT (room_id) DO UPDATE SET position = excluded.position`);
}

export async function selectPurges(database: Queryable): Promise<Purge[]> {
  const found = await database.all<{ room_id: RoomId; position: number }>(
    sql`SELECT room_id, position FROM syncapi_purges`,
  );
  return found.map(({ room_id: roomId, position }) => ({ roomId, position }));
}

/** One that has been begun anew since stays. */
export async function deletePurge(tx: Transaction, { roomId, position }: Purge): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_purges WHERE room_id = ${roomId} AND position <= ${position}`);
}

/** Each deletes at most `limit` rows and returns how many there were. */
export type DeleteSome = (tx: Transaction, purge: Purge, limit: number) => Promise<number>;

/** Backfilled history has the positions of its entries, negated. */
const deleteSomeOfTimeline: DeleteSome = (tx, { roomId, position }, limit) =>
  tx.run(sql`
    DELETE FROM syncapi_timeline WHERE position IN (
      SELECT position FROM syncapi_timeline
      WHERE room_id = ${roomId} AND position <= ${position} AND position >= ${-position}
      ORDER BY position LIMIT ${limit})`);

const deleteSomeMemberships: DeleteSome = (tx, { roomId, position }, limit) =>
  tx.run(sql`
    DELETE FROM syncapi_memberships WHERE room_id = ${roomId} AND position IN (
      SELECT position FROM syncapi_memberships
      WHERE room_id = ${roomId} AND position <= ${position} ORDER BY position LIMIT ${limit})`);

const deleteSomeReceipts: DeleteSome = (tx, { roomId, position }, limit) =>
  tx.run(sql`
    DELETE FROM syncapi_receipts WHERE room_id = ${roomId} AND position IN (
      SELECT position FROM syncapi_receipts
      WHERE room_id = ${roomId} AND event_position <= ${position} ORDER BY position LIMIT ${limit})`);

export const DELETIONS: readonly DeleteSome[] = [
  deleteSomeOfTimeline,
  deleteSomeMemberships,
  deleteSomeReceipts,
];
