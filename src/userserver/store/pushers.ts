// userserver_pushers.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface PusherKey {
  readonly userId: UserId;
  readonly appId: string;
  readonly pushkey: string;
}

export async function upsertPusher(
  tx: Transaction,
  key: PusherKey,
  data: { readonly deviceId: DeviceId; readonly pusher: string },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_pushers (user_id, app_id, pushkey, device_id, pusher)
    VALUES (${key.userId}, ${key.appId}, ${key.pushkey}, ${data.deviceId}, ${data.pusher})
    ON CONFLICT (user_id, app_id, pushkey)
    DO UPDATE SET device_id = excluded.device_id, pusher = excluded.pusher`);
}

export async function selectPushers(db: Queryable, userId: UserId): Promise<string[]> {
  const found = await db.all<{ pusher: string }>(sql`
    SELECT pusher FROM userserver_pushers WHERE user_id = ${userId} ORDER BY app_id, pushkey`);
  return found.map((row) => row.pusher);
}

export async function countPushers(db: Queryable, userId: UserId): Promise<number> {
  const row = await db.get<{ pushers: number }>(sql`
    SELECT count(*) AS pushers FROM userserver_pushers WHERE user_id = ${userId}`);
  return row?.pushers ?? 0;
}

export async function deletePusher(tx: Transaction, key: PusherKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_pushers
    WHERE user_id = ${key.userId} AND app_id = ${key.appId} AND pushkey = ${key.pushkey}`);
}

/** The same pushkey of the same application on accounts of other users. */
export async function deletePushersOfOthers(tx: Transaction, key: PusherKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_pushers
    WHERE app_id = ${key.appId} AND pushkey = ${key.pushkey} AND user_id <> ${key.userId}`);
}

export async function deletePushersOfDevices(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_pushers
    WHERE user_id = ${userId} AND device_id IN ${list('text', deviceIds)}`);
}
