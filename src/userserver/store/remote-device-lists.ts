// userserver_remote_device_lists and userserver_remote_devices: devices and cross-signing keys of users of other servers.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface RemoteListRow {
  readonly user_id: UserId;
  /** Of the last change that is known. */
  readonly stream_id: number;
  /** 0: what is here holds. Else it has to be fetched again, and rises with what comes meanwhile. */
  readonly is_stale: number;
  /** JSON. */
  readonly master_key: string | null;
  readonly self_signing_key: string | null;
}

export interface RemoteDeviceRow {
  readonly device_id: DeviceId;
  readonly display_name: string | null;
  /** JSON. */
  readonly keys: string | null;
}

export function selectRemoteLists(
  db: Queryable,
  userIds: readonly UserId[],
): Promise<RemoteListRow[]> {
  return db.all<RemoteListRow>(sql`
    SELECT user_id, stream_id, is_stale, master_key, self_signing_key
    FROM userserver_remote_device_lists WHERE user_id IN ${list('text', userIds)}`);
}

export async function selectRemoteList(
  db: Queryable,
  userId: UserId,
): Promise<RemoteListRow | undefined> {
  return (await selectRemoteLists(db, [userId]))[0];
}

/** JSON. */
export async function selectRemoteMasterKey(
  db: Queryable,
  userId: UserId,
): Promise<string | undefined> {
  return (await selectRemoteList(db, userId))?.master_key ?? undefined;
}

export function selectRemoteDevices(
  db: Queryable,
  userIds: readonly UserId[],
): Promise<(RemoteDeviceRow & { readonly user_id: UserId })[]> {
  return db.all(sql`
    SELECT user_id, device_id, display_name, keys FROM userserver_remote_devices
    WHERE user_id IN ${list('text', userIds)} ORDER BY user_id, device_id`);
}

export async function countRemoteDevices(db: Queryable, userId: UserId): Promise<number> {
  const found = await db.get<{ count: number }>(sql`
    SELECT COUNT(*) AS count FROM userserver_remote_devices WHERE user_id = ${userId}`);
  return found?.count ?? 0;
}

/** Before it is fetched for the first time; one that is there stays as it is. */
export async function insertStaleList(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_remote_device_lists (user_id, stream_id, is_stale)
    VALUES (${userId}, 0, 1) ON CONFLICT DO NOTHING`);
}

/** Those of the users whose lists are here. */
export async function updateListsStale(
  tx: Transaction,
  userIds: readonly UserId[],
): Promise<number> {
  return await tx.run(sql`
    UPDATE userserver_remote_device_lists SET is_stale = is_stale + 1
    WHERE user_id IN ${list('text', userIds)}`);
}

export async function updateAllListsStale(tx: Transaction): Promise<void> {
  await tx.run(sql`UPDATE userserver_remote_device_lists SET is_stale = is_stale + 1`);
}

/** Puts what was fetched in the place of all that was known. Stale is what became so while it was fetched. */
export async function replaceRemoteList(
  tx: Transaction,
  fetched: Omit<RemoteListRow, 'is_stale'> & {
    readonly devices: readonly RemoteDeviceRow[];
    /** `is_stale` before it was fetched. */
    readonly staleBefore: number;
  },
): Promise<void> {
  const { user_id: userId } = fetched;
  await tx.run(sql`
    UPDATE userserver_remote_device_lists SET stream_id = ${fetched.stream_id},
      master_key = ${fetched.master_key}, self_signing_key = ${fetched.self_signing_key},
      is_stale = CASE WHEN is_stale = ${fetched.staleBefore} THEN 0 ELSE is_stale END
    WHERE user_id = ${userId}`);
  await tx.run(sql`DELETE FROM userserver_remote_devices WHERE user_id = ${userId}`);
  if (fetched.devices.length === 0) return;
  const columns = { device_id: 'text', display_name: 'text', keys: 'text' } as const;
  const data = fetched.devices.map((device) => ({ ...device }));
  await tx.run(sql`
    INSERT INTO userserver_remote_devices (user_id, device_id, display_name, keys)
    SELECT CAST(${userId} AS TEXT), device_id, display_name, keys FROM ${rows(columns, data)}`);
}

export async function updateListStream(
  tx: Transaction,
  userId: UserId,
  streamId: number,
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_remote_device_lists SET stream_id = ${streamId} WHERE user_id = ${userId}`);
}

export async function upsertRemoteDevice(
  tx: Transaction,
  userId: UserId,
  device: RemoteDeviceRow,
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_remote_devices (user_id, device_id, display_name, keys)
    VALUES (${userId}, ${device.device_id}, ${device.display_name}, ${device.keys})
    ON CONFLICT (user_id, device_id) DO UPDATE SET
      display_name = excluded.display_name, keys = excluded.keys`);
}

export async function deleteRemoteDevice(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_remote_devices WHERE user_id = ${userId} AND device_id = ${deviceId}`);
}

/** Undefined leaves a key as it is. What is being fetched may be of before. */
export async function updateRemoteSigningKeys(
  tx: Transaction,
  userId: UserId,
  keys: { readonly master: string | undefined; readonly selfSigning: string | undefined },
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_remote_device_lists SET
      master_key = COALESCE(CAST(${keys.master ?? null} AS TEXT), master_key),
      self_signing_key = COALESCE(CAST(${keys.selfSigning ?? null} AS TEXT), self_signing_key),
      is_stale = CASE WHEN is_stale > 0 THEN is_stale + 1 ELSE 0 END
    WHERE user_id = ${userId}`);
}
