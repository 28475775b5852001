// Where each device's last initialSync ended, for a first /events that does not say where to go on.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';

export interface InitialSyncKey {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** '' for that of all rooms. */
  readonly roomId: RoomId | '';
}

export interface InitialSync extends InitialSyncKey {
  /** A sync token. */
  readonly token: string;
  /** ms since the epoch. */
  readonly ts: number;
}

export async function insertInitialSync(tx: Transaction, sync: InitialSync): Promise<void> {
  await tx.run(sql`
    INSERT INTO syncapi_initial_syncs (user_id, device_id, room_id, token, ts)
    VALUES (${sync.userId}, ${sync.deviceId}, ${sync.roomId}, ${sync.token}, ${sync.ts})
    ON CONFLICT (user_id, device_id, room_id) DO UPDATE SET
      token = excluded.token, ts = excluded.ts`);
}

export async function selectInitialSync(
  database: Queryable,
  { userId, deviceId, roomId }: InitialSyncKey,
): Promise<{ token: string; ts: number } | undefined> {
  return database.get<{ token: string; ts: number }>(sql`
    SELECT token, ts FROM syncapi_initial_syncs
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND room_id = ${roomId}`);
}

export async function deleteInitialSyncsBefore(tx: Transaction, ts: number): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_initial_syncs WHERE ts < ${ts}`);
}

export async function deleteInitialSyncsOfDevice(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_initial_syncs WHERE user_id = ${userId} AND device_id = ${deviceId}`);
}

export async function deleteInitialSyncsOfUser(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_initial_syncs WHERE user_id = ${userId}`);
}
