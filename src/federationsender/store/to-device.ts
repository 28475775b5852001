// Messages to devices of other servers' users, kept until their server has taken them.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { JsonObject } from '../../protocol/json.ts';

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

export async function selectToDevice(
  database: Queryable,
  destinationId: number,
  limit: number,
): Promise<{ position: number; edu: JsonObject }[]> {
  const found = await database.all<{ position: number; edu: string }>(sql`
    SELECT position, edu FROM federationsender_to_device
    WHERE destination_id = ${destinationId} ORDER BY position LIMIT ${limit}`);
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
