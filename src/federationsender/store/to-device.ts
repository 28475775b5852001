// Messages to devices of other servers' users, and changes of devices of our own, kept until the others' servers have taken them.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { DeviceChange } from './changes.ts';

export interface QueuedMessage {
  readonly destinationId: number;
  /** Of the log entry. */
  readonly position: number;
  /** JSON. */
  readonly edu: string;
}

export async function insertToDevice(
  tx: Transaction,
  messages: readonly QueuedMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  const data = messages.map(({ destinationId, position, edu }) => ({
    destination_id: destinationId,
    position,
    edu,
  }));
  await tx.run(sql`
    INSERT INTO federationsender_to_device (destination_id, position, edu)
    SELECT destination_id, position, edu
    FROM ${rows({ destination_id: 'bigint', position: 'bigint', edu: 'text' }, data)}`);
}

/** For each of the destinations that does not wait for it already. */
export async function insertDeviceChange(
  tx: Transaction,
  destinationIds: readonly number[],
  { about, position, edu }: DeviceChange,
): Promise<void> {
  if (destinationIds.length === 0) return;
  const data = destinationIds.map((destination_id) => ({ destination_id, position, edu, about }));
  const columns = {
    destination_id: 'bigint',
    position: 'bigint',
    edu: 'text',
    about: 'text',
  } as const;
  await tx.run(sql`
    INSERT INTO federationsender_to_device (destination_id, position, edu, about)
    SELECT destination_id, position, edu, about FROM ${rows(columns, data)}
    WHERE true ON CONFLICT DO NOTHING`);
}

/** All changes but the last of each name. */
export async function deleteOldChanges(tx: Transaction, destinationId: number): Promise<void> {
  await tx.run(sql`
    DELETE FROM federationsender_to_device
    WHERE destination_id = ${destinationId} AND about IS NOT NULL AND position NOT IN (
      SELECT MAX(t.position) FROM federationsender_to_device t
      WHERE t.destination_id = ${destinationId} AND t.about IS NOT NULL GROUP BY t.about)`);
}

/** The first ones, of so many characters together; one at least. */
export async function selectToDevice(
  database: Queryable,
  destinationId: number,
  { count, characters }: { readonly count: number; readonly characters: number },
): Promise<{ position: number; edu: JsonObject }[]> {
  const found = await database.all<{ position: number; edu: string }>(sql`
    SELECT position, edu FROM (
      SELECT position, edu, LENGTH(edu) AS own, SUM(LENGTH(edu)) OVER (ORDER BY position) AS total
      FROM (
        SELECT position, edu FROM federationsender_to_device
        WHERE destination_id = ${destinationId} ORDER BY position LIMIT ${count}) AS first_ones
    ) AS summed
    WHERE total <= ${characters} OR total = own ORDER BY position`);
  return found.map(({ position, edu }) => ({ position, edu: JSON.parse(edu) as JsonObject }));
}

export async function deleteToDevice(
  tx: Transaction,
  destinationId: number,
  positions: readonly number[],
): Promise<void> {
  if (positions.length === 0) return;
  await tx.run(sql`
    DELETE FROM federationsender_to_device
    WHERE destination_id = ${destinationId} AND position IN ${list('bigint', positions)}`);
}
