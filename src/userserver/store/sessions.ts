// userserver_sessions: access and refresh tokens. Changed only while the account is locked.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

export interface SessionRow {
  readonly access_hash: string;
  readonly refresh_hash: string | null;
  readonly user_id: UserId;
  readonly device_id: DeviceId;
  /** ms since the epoch. */
  readonly expires_ts: number | null;
  readonly replaces: string | null;
}

export interface SessionOwnerRow {
  readonly user_id: UserId;
  readonly device_id: DeviceId;
  readonly expires_ts: number | null;
  readonly replaces: string | null;
  readonly device_created_ts: number;
  readonly is_guest: number;
  readonly is_admin: number;
}

export async function insertSession(tx: Transaction, row: SessionRow): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_sessions
      (access_hash, refresh_hash, user_id, device_id, expires_ts, replaces)
    VALUES (${row.access_hash}, ${row.refresh_hash}, ${row.user_id}, ${row.device_id},
      ${row.expires_ts}, ${row.replaces})`);
}

export function selectSessionOwner(
  db: Queryable,
  accessHash: string,
): Promise<SessionOwnerRow | undefined> {
  return db.get<SessionOwnerRow>(sql`
    SELECT s.user_id, s.device_id, s.expires_ts, s.replaces, a.is_guest, a.is_admin,
      d.created_ts AS device_created_ts
    FROM userserver_sessions s JOIN userserver_accounts a ON a.user_id = s.user_id
    JOIN userserver_devices d ON d.user_id = s.user_id AND d.device_id = s.device_id
    WHERE s.access_hash = ${accessHash}`);
}

export function selectSessionByRefreshHash(
  db: Queryable,
  refreshHash: string,
): Promise<SessionRow | undefined> {
  return db.get<SessionRow>(sql`
    SELECT access_hash, refresh_hash, user_id, device_id, expires_ts, replaces
    FROM userserver_sessions WHERE refresh_hash = ${refreshHash}`);
}

/** Ends what the generation replaces; false when the generation itself is gone. */
export async function updateToFirstUsed(
  tx: Transaction,
  accessHash: string,
  replaces: string,
): Promise<boolean> {
  await tx.run(sql`DELETE FROM userserver_sessions WHERE access_hash = ${replaces}`);
  const updated = await tx.run(sql`
    UPDATE userserver_sessions SET replaces = NULL WHERE access_hash = ${accessHash}`);
  return updated === 1;
}

/** Ends generations that were made to replace this one and never used; returns their access hashes. */
export async function deleteSuccessors(tx: Transaction, accessHash: string): Promise<string[]> {
  const deleted = await tx.all<{ access_hash: string }>(sql`
    DELETE FROM userserver_sessions WHERE replaces = ${accessHash} RETURNING access_hash`);
  return deleted.map((row) => row.access_hash);
}

/** Returns the access hashes of what was there. */
export async function deleteSessionsOfDevices(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<string[]> {
  const deleted = await tx.all<{ access_hash: string }>(sql`
    DELETE FROM userserver_sessions
    WHERE user_id = ${userId} AND device_id IN ${list('text', deviceIds)}
    RETURNING access_hash`);
  return deleted.map((row) => row.access_hash);
}
