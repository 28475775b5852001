// userserver_key_backups: the versions of a user's backup. Changed only while the account is locked.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface KeyBackupRow {
  readonly version: number;
  readonly algorithm: string;
  /** JSON. */
  readonly auth_data: string;
  readonly etag: number;
  readonly is_deleted: number;
}

/** Returns the number of the version. */
export async function insertKeyBackup(
  tx: Transaction,
  backup: { readonly userId: UserId; readonly algorithm: string; readonly authData: string },
): Promise<number> {
  const last = await tx.get<{ version: number | null }>(sql`
    SELECT MAX(version) AS version FROM userserver_key_backups WHERE user_id = ${backup.userId}`);
  const version = (last?.version ?? 0) + 1;
  await tx.run(sql`
    INSERT INTO userserver_key_backups (user_id, version, algorithm, auth_data, etag, is_deleted)
    VALUES (${backup.userId}, ${version}, ${backup.algorithm}, ${backup.authData}, 0, 0)`);
  return version;
}

/** Deleted ones too. */
export function selectKeyBackup(
  db: Queryable,
  userId: UserId,
  version: number,
): Promise<KeyBackupRow | undefined> {
  return db.get<KeyBackupRow>(sql`
    SELECT version, algorithm, auth_data, etag, is_deleted FROM userserver_key_backups
    WHERE user_id = ${userId} AND version = ${version}`);
}

export function selectLatestKeyBackup(
  db: Queryable,
  userId: UserId,
): Promise<KeyBackupRow | undefined> {
  return db.get<KeyBackupRow>(sql`
    SELECT version, algorithm, auth_data, etag, is_deleted FROM userserver_key_backups
    WHERE user_id = ${userId} AND is_deleted = 0 ORDER BY version DESC LIMIT 1`);
}

export async function updateAuthData(
  tx: Transaction,
  backup: { readonly userId: UserId; readonly version: number; readonly authData: string },
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_key_backups SET auth_data = ${backup.authData}
    WHERE user_id = ${backup.userId} AND version = ${backup.version}`);
}

/** Returns the new one. */
export async function updateEtag(
  tx: Transaction,
  userId: UserId,
  version: number,
): Promise<number> {
  const row = await tx.get<{ etag: number }>(sql`
    UPDATE userserver_key_backups SET etag = etag + 1
    WHERE user_id = ${userId} AND version = ${version} RETURNING etag`);
  return row?.etag ?? 0;
}

export async function updateBackupDeleted(
  tx: Transaction,
  userId: UserId,
  version: number,
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_key_backups SET is_deleted = 1, auth_data = '{}'
    WHERE user_id = ${userId} AND version = ${version}`);
}

export async function deleteKeyBackups(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_room_keys WHERE user_id = ${userId}`);
  await tx.run(sql`DELETE FROM userserver_key_backups WHERE user_id = ${userId}`);
}
