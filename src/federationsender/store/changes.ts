// Changes of devices and keys of users here: the last one of each, kept once for all servers. Those that catch up are told of it when
// they have, so that a change costs nothing for hundreds that may be dead, and those that a user meets in a room at once.

import type { Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

const KINDS = ['DeviceListChanged', 'SigningKeysChanged'] as const;

/** Whose devices or keys have changed: the last one said of a name stands for those before. */
export type About = `${(typeof KINDS)[number]} ${UserId}`;

export interface DeviceChange {
  readonly about: About;
  readonly userId: UserId;
  /** Of the log entry. */
  readonly position: number;
  /** JSON. */
  readonly edu: string;
}

/** In place of the one before. */
export async function insertChange(
  tx: Transaction,
  { about, userId, position, edu }: DeviceChange,
): Promise<void> {
  const last = await tx.get<{ seq: number }>(
    sql`SELECT COALESCE(MAX(seq), 0) AS seq FROM federationsender_changes`,
  );
  await tx.run(sql`DELETE FROM federationsender_changes WHERE about = ${about}`);
  await tx.run(sql`
    INSERT INTO federationsender_changes (seq, about, user_id, position, edu)
    VALUES (${(last?.seq ?? 0) + 1}, ${about}, ${userId}, ${position}, ${edu})`);
}

/** The last ones, of devices and of keys. */
export async function selectChanges(tx: Transaction, userId: UserId): Promise<DeviceChange[]> {
  const abouts = KINDS.map((kind): About => `${kind} ${userId}`);
  const found = await tx.all<Omit<DeviceChange, 'userId'>>(sql`
    SELECT about, position, edu FROM federationsender_changes
    WHERE about IN ${list('text', abouts)} ORDER BY seq`);
  return found.map((row) => ({ ...row, userId }));
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
