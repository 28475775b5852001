// Changes of devices and keys of users here, of which those that catch up are told when they have: the last one of each, kept once
// for all of them, so that a change costs nothing for hundreds that may be dead.

import type { Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface DeviceChange {
  /** Whose devices or keys have changed, and which; the last one said of a name stands for those before. */
  readonly about: string;
  readonly userId: UserId;
  /** Of the log entry. */
  readonly position: number;
  /** JSON. */
  readonly edu: string;
}

/** For those that share a room with the user, and catch up: if there are any. */
export async function insertChange(
  tx: Transaction,
  { about, userId, position, edu }: DeviceChange,
): Promise<void> {
  const found = await tx.get<{ seq: number }>(sql`
    SELECT (SELECT COALESCE(MAX(seq), 0) FROM federationsender_changes) + 1 AS seq
    WHERE EXISTS (
      SELECT 1 FROM federationsender_local_members m
      JOIN federationsender_hosts h ON h.room_id = m.room_id
      WHERE m.user_id = ${userId} AND h.away > 0)`);
  if (found === undefined) return;
  await tx.run(sql`DELETE FROM federationsender_changes WHERE about = ${about}`);
  await tx.run(sql`
    INSERT INTO federationsender_changes (seq, about, user_id, position, edu)
    VALUES (${found.seq}, ${about}, ${userId}, ${position}, ${edu})`);
}

/** What has changed while the destination was to catch up, of users with whom it shares a room, waits to be sent to it. */
export async function queueMissedChanges(tx: Transaction, destinationId: number): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_to_device (destination_id, position, edu, about)
    SELECT d.id, c.position, c.edu, c.about
    FROM federationsender_destinations d
    JOIN federationsender_changes c ON c.seq > d.changes_until
    WHERE d.id = ${destinationId} AND d.catching_up = 1 AND c.user_id IN (
      SELECT m.user_id FROM federationsender_hosts h
      JOIN federationsender_local_members m ON m.room_id = h.room_id
      WHERE h.destination_id = ${destinationId})
    ON CONFLICT DO NOTHING`);
}
