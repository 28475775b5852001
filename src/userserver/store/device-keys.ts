// userserver_device_keys, and the stream of changes of device lists.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface DeviceKeysRow {
  readonly user_id: UserId;
  readonly device_id: DeviceId;
  /** JSON. */
  readonly keys: string;
  readonly display_name: string | null;
}

export async function upsertDeviceKeys(
  tx: Transaction,
  row: { readonly userId: UserId; readonly deviceId: DeviceId; readonly keys: string },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_device_keys (user_id, device_id, keys)
    VALUES (${row.userId}, ${row.deviceId}, ${row.keys})
    ON CONFLICT (user_id, device_id) DO UPDATE SET keys = excluded.keys`);
}

/** Of all devices that have keys. */
export function selectDeviceKeys(
  db: Queryable,
  userIds: readonly UserId[],
): Promise<DeviceKeysRow[]> {
  return db.all<DeviceKeysRow>(sql`
    SELECT k.user_id, k.device_id, k.keys, d.display_name
    FROM userserver_device_keys k
    JOIN userserver_devices d ON d.user_id = k.user_id AND d.device_id = k.device_id
    WHERE k.user_id IN ${list('text', userIds)} ORDER BY k.user_id, k.device_id`);
}

export function selectKeysOfDevice(
  db: Queryable,
  userId: UserId,
  deviceId: DeviceId,
): Promise<{ readonly keys: string } | undefined> {
  return db.get(sql`
    SELECT keys FROM userserver_device_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId}`);
}

export async function deleteDeviceKeys(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_device_keys
    WHERE user_id = ${userId} AND device_id IN ${list('text', deviceIds)}`);
}

/** Counts further changes; returns the number of the last. */
export async function updateDeviceListStream(
  tx: Transaction,
  userId: UserId,
  by: number,
): Promise<number> {
  const row = await tx.get<{ device_list_stream: number }>(sql`
    UPDATE userserver_accounts SET device_list_stream = device_list_stream + ${by}
    WHERE user_id = ${userId} RETURNING device_list_stream`);
  return row?.device_list_stream ?? 0;
}

export async function selectDeviceListStream(
  db: Queryable,
  userId: UserId,
): Promise<number | undefined> {
  const row = await db.get<{ device_list_stream: number }>(sql`
    SELECT device_list_stream FROM userserver_accounts WHERE user_id = ${userId}`);
  return row?.device_list_stream;
}
