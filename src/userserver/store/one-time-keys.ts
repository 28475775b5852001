// userserver_one_time_keys and userserver_fallback_keys. A key that was given out stays for a while, under the negative number of
// its upload: an upload whose answer was lost is repeated, and must not bring it back.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface OneTimeKey {
  readonly algorithm: string;
  readonly keyId: string;
  /** JSON. */
  readonly key: string;
}

export interface OwnerOfKeys {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

export interface StoredKey extends OneTimeKey {
  readonly isGivenOut: boolean;
}

interface KeyRow {
  readonly algorithm: string;
  readonly key_id: string;
  readonly key: string;
}

/** For so many uploads what was given out is remembered. */
const REMEMBERED_UPLOADS = 20;

const KEY_COLUMNS = { algorithm: 'text', key_id: 'text', key: 'text' } as const;

/** Those of the given ids that are there, or were given out lately. */
export async function selectOneTimeKeys(
  db: Queryable,
  { userId, deviceId }: OwnerOfKeys,
  keyIds: readonly string[],
): Promise<StoredKey[]> {
  const found = await db.all<KeyRow & { readonly batch: number }>(sql`
    SELECT algorithm, key_id, key, batch FROM userserver_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND key_id IN ${list('text', keyIds)}`);
  return found.map((row) => ({ ...toKey(row), isGivenOut: row.batch < 0 }));
}

/** In the place of what was given out under their names. */
export async function upsertOneTimeKeys(
  tx: Transaction,
  { userId, deviceId }: OwnerOfKeys,
  keys: readonly OneTimeKey[],
): Promise<void> {
  const last = await tx.get<{ batch: number | null }>(sql`
    SELECT MAX(ABS(batch)) AS batch FROM userserver_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId}`);
  const batch = (last?.batch ?? 0) + 1;
  await tx.run(sql`
    DELETE FROM userserver_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId}
      AND batch < 0 AND batch >= ${REMEMBERED_UPLOADS - batch}`);
  const data = keys.map(({ algorithm, keyId, key }) => ({ algorithm, key_id: keyId, key }));
  await tx.run(sql`
    INSERT INTO userserver_one_time_keys (user_id, device_id, algorithm, key_id, batch, key)
    SELECT CAST(${userId} AS TEXT), CAST(${deviceId} AS TEXT), algorithm, key_id, CAST(${batch} AS BIGINT), key
    FROM ${rows(KEY_COLUMNS, data)} WHERE true
    ON CONFLICT (user_id, device_id, algorithm, key_id) DO UPDATE SET
      batch = excluded.batch, key = excluded.key`);
}

/** Takes the key that is next in turn. */
export async function updateNextGivenOut(
  tx: Transaction,
  { userId, deviceId }: OwnerOfKeys,
  algorithm: string,
): Promise<OneTimeKey | undefined> {
  const row = await tx.get<KeyRow>(sql`
    UPDATE userserver_one_time_keys SET batch = -batch
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND algorithm = ${algorithm}
      AND key_id = (
        SELECT key_id FROM userserver_one_time_keys
        WHERE user_id = ${userId} AND device_id = ${deviceId} AND algorithm = ${algorithm}
          AND batch > 0
        ORDER BY batch, key_id LIMIT 1)
    RETURNING algorithm, key_id, key`);
  return row && toKey(row);
}

export async function selectOneTimeKeyCounts(
  db: Queryable,
  { userId, deviceId }: OwnerOfKeys,
): Promise<{ readonly algorithm: string; readonly count: number }[]> {
  return db.all(sql`
    SELECT algorithm, COUNT(*) AS count FROM userserver_one_time_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND batch > 0 GROUP BY algorithm ORDER BY algorithm`);
}

/** A key that is there with the same value stays used if it was. */
export async function upsertFallbackKey(
  tx: Transaction,
  { userId, deviceId }: OwnerOfKeys,
  { algorithm, keyId, key }: OneTimeKey,
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_fallback_keys (user_id, device_id, algorithm, key_id, key, used)
    VALUES (${userId}, ${deviceId}, ${algorithm}, ${keyId}, ${key}, 0)
    ON CONFLICT (user_id, device_id, algorithm) DO UPDATE SET
      used = CASE WHEN userserver_fallback_keys.key_id = excluded.key_id
        AND userserver_fallback_keys.key = excluded.key THEN userserver_fallback_keys.used ELSE 0 END,
      key_id = excluded.key_id, key = excluded.key`);
}

export async function selectFallbackKeyCount(
  db: Queryable,
  { userId, deviceId }: OwnerOfKeys,
): Promise<number> {
  const row = await db.get<{ count: number }>(sql`
    SELECT COUNT(*) AS count FROM userserver_fallback_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId}`);
  return row?.count ?? 0;
}

export async function updateFallbackKeyUsed(
  tx: Transaction,
  { userId, deviceId }: OwnerOfKeys,
  algorithm: string,
): Promise<OneTimeKey | undefined> {
  const row = await tx.get<KeyRow>(sql`
    UPDATE userserver_fallback_keys SET used = 1
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND algorithm = ${algorithm}
    RETURNING algorithm, key_id, key`);
  return row && toKey(row);
}

export async function selectUnusedFallbackAlgorithms(
  db: Queryable,
  { userId, deviceId }: OwnerOfKeys,
): Promise<string[]> {
  const found = await db.all<{ algorithm: string }>(sql`
    SELECT algorithm FROM userserver_fallback_keys
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND used = 0 ORDER BY algorithm`);
  return found.map((row) => row.algorithm);
}

export async function deleteKeysForMessages(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<void> {
  const ids = list('text', deviceIds);
  await tx.run(sql`
    DELETE FROM userserver_one_time_keys WHERE user_id = ${userId} AND device_id IN ${ids}`);
  await tx.run(sql`
    DELETE FROM userserver_fallback_keys WHERE user_id = ${userId} AND device_id IN ${ids}`);
}

function toKey({ algorithm, key_id: keyId, key }: KeyRow): OneTimeKey {
  return { algorithm, keyId, key };
}
