// userserver_devices.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface DeviceRow {
  readonly device_id: DeviceId;
  readonly display_name: string | null;
  /** ms since the epoch. */
  readonly last_seen_ts: number | null;
  readonly last_seen_ip: string | null;
}

export interface NewDeviceRow {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly displayName: string | undefined;
  /** ms since the epoch. */
  readonly now: number;
}

/** A device that is there already stays as it is: false. */
export async function insertDevice(tx: Transaction, device: NewDeviceRow): Promise<boolean> {
  const inserted = await tx.run(sql`
    INSERT INTO userserver_devices (user_id, device_id, display_name, created_ts)
    VALUES (${device.userId}, ${device.deviceId}, ${device.displayName ?? null}, ${device.now})
    ON CONFLICT DO NOTHING`);
  return inserted === 1;
}

export function selectDevices(db: Queryable, userId: UserId): Promise<DeviceRow[]> {
  return db.all<DeviceRow>(sql`
    SELECT device_id, display_name, last_seen_ts, last_seen_ip FROM userserver_devices
    WHERE user_id = ${userId} ORDER BY created_ts, device_id`);
}

export function selectDevice(
  db: Queryable,
  userId: UserId,
  deviceId: DeviceId,
): Promise<DeviceRow | undefined> {
  return db.get<DeviceRow>(sql`
    SELECT device_id, display_name, last_seen_ts, last_seen_ip FROM userserver_devices
    WHERE user_id = ${userId} AND device_id = ${deviceId}`);
}

/** False when there is no such device. */
export async function updateDisplayName(
  tx: Transaction,
  device: { userId: UserId; deviceId: DeviceId; displayName: string },
): Promise<boolean> {
  const updated = await tx.run(sql`
    UPDATE userserver_devices SET display_name = ${device.displayName}
    WHERE user_id = ${device.userId} AND device_id = ${device.deviceId}`);
  return updated === 1;
}

/** Returns those that were there. */
export async function deleteDevices(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<DeviceId[]> {
  const deleted = await tx.all<{ device_id: DeviceId }>(sql`
    DELETE FROM userserver_devices
    WHERE user_id = ${userId} AND device_id IN ${list('text', deviceIds)}
    RETURNING device_id`);
  return deleted.map((row) => row.device_id);
}

export interface SeenRow {
  readonly user_id: UserId;
  readonly device_id: DeviceId;
  /** ms since the epoch. */
  readonly ts: number;
  readonly ip: string;
  readonly user_agent: string;
}

const SEEN = { user_id: 'text', device_id: 'text', ts: 'bigint', ip: 'text', user_agent: 'text' };

export async function updateLastSeen(tx: Transaction, seen: readonly SeenRow[]): Promise<void> {
  const source = rows(SEEN as Record<keyof SeenRow, 'text' | 'bigint'>, seen.map(toRow));
  await tx.run(sql`
    UPDATE userserver_devices
    SET last_seen_ts = r.ts, last_seen_ip = r.ip, last_seen_user_agent = r.user_agent
    FROM ${source}
    WHERE userserver_devices.user_id = r.user_id AND userserver_devices.device_id = r.device_id`);
}

function toRow(seen: SeenRow): Record<string, string | number> {
  return { ...seen };
}
