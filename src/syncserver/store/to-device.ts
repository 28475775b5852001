// Messages to devices, kept until the device has synced past them.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface StoredMessage {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** Of the log entry. */
  readonly position: number;
  readonly sender: UserId;
  readonly type: string;
  /** JSON. */
  readonly content: string;
}

export async function insertToDeviceMessages(
  tx: Transaction,
  messages: readonly StoredMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  const data = messages.map((message) => ({
    user_id: message.userId,
    device_id: message.deviceId,
    position: message.position,
    sender: message.sender,
    type: message.type,
    content: message.content,
  }));
  const columns = {
    user_id: 'text',
    device_id: 'text',
    position: 'bigint',
    sender: 'text',
    type: 'text',
    content: 'text',
  } as const;
  await tx.run(sql`
    INSERT INTO syncapi_to_device (user_id, device_id, position, sender, type, content)
    SELECT user_id, device_id, position, sender, type, content FROM ${rows(columns, data)}`);
}

/** The first messages of a device, in order: of so many bytes together, but one in any case. No others are read. */
export async function selectToDeviceMessages(
  database: Queryable,
  range: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly after: number;
    readonly upTo: number;
    readonly count: number;
    readonly bytes: number;
  },
): Promise<StoredMessage[]> {
  const found = await database.all<{
    position: number;
    sender: string;
    type: string;
    content: string;
  }>(sql`
    SELECT m.position, m.sender, m.type, m.content
    FROM (
      SELECT position, size, SUM(size) OVER (ORDER BY position) AS total
      FROM (
        SELECT position, OCTET_LENGTH(content) AS size FROM syncapi_to_device
        WHERE user_id = ${range.userId} AND device_id = ${range.deviceId}
          AND position > ${range.after} AND position <= ${range.upTo}
        ORDER BY position LIMIT ${range.count}) AS first_ones
    ) AS summed
    CROSS JOIN syncapi_to_device m
    WHERE m.user_id = ${range.userId} AND m.device_id = ${range.deviceId}
      AND m.position = summed.position
      AND (summed.total <= ${range.bytes} OR summed.total = summed.size)
    ORDER BY m.position`);
  const { userId, deviceId } = range;
  return found.map((row) => ({ ...row, userId, deviceId, sender: row.sender as UserId }));
}

/** What waits for each device of a user. */
export async function selectToDeviceBounds(
  database: Queryable,
  userId: UserId,
): Promise<{ deviceId: DeviceId; oldest: number; newest: number }[]> {
  const found = await database.all<{ device_id: string; oldest: number; newest: number }>(sql`
    SELECT device_id, MIN(position) AS oldest, MAX(position) AS newest
    FROM syncapi_to_device WHERE user_id = ${userId} GROUP BY device_id`);
  return found.map(({ device_id, oldest, newest }) => ({
    deviceId: device_id as DeviceId,
    oldest,
    newest,
  }));
}

export async function deleteToDeviceMessages(
  tx: Transaction,
  range: { readonly userId: UserId; readonly deviceId: DeviceId; readonly upTo: number },
): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_to_device
    WHERE user_id = ${range.userId} AND device_id = ${range.deviceId}
      AND position <= ${range.upTo}`);
}

export async function deleteToDeviceMessagesOfDevice(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_to_device WHERE user_id = ${userId} AND device_id = ${deviceId}`);
}

export async function deleteToDeviceMessagesOfUser(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_to_device WHERE user_id = ${userId}`);
}
