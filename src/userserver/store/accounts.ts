// userserver_accounts.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface AccountRow {
  readonly user_id: UserId;
  /** Null for guests and deactivated users, who have no password. */
  readonly password_hash: string | null;
  readonly is_guest: number;
  readonly is_admin: number;
  readonly is_deactivated: number;
  /** ms since the epoch. */
  readonly created_ts: number;
}

/** False when the user ID is taken. */
export async function insertAccount(tx: Transaction, row: AccountRow): Promise<boolean> {
  const inserted = await tx.run(sql`
    INSERT INTO userserver_accounts
      (user_id, password_hash, is_guest, is_admin, is_deactivated, created_ts, revision)
    VALUES (${row.user_id}, ${row.password_hash}, ${row.is_guest}, ${row.is_admin},
      ${row.is_deactivated}, ${row.created_ts}, 0)
    ON CONFLICT DO NOTHING`);
  return inserted === 1;
}

export function selectAccount(db: Queryable, userId: UserId): Promise<AccountRow | undefined> {
  return db.get<AccountRow>(sql`
    SELECT user_id, password_hash, is_guest, is_admin, is_deactivated, created_ts
    FROM userserver_accounts WHERE user_id = ${userId}`);
}

/**
 * Reads the account and keeps other units of work that lock it waiting until this one is over: what is read
 * before it is written again (devices, tokens, tags, push rules, profiles) stays what it was.
 */
export function lockAccount(tx: Transaction, userId: UserId): Promise<AccountRow | undefined> {
  return tx.get<AccountRow>(sql`
    UPDATE userserver_accounts SET revision = revision + 1 WHERE user_id = ${userId}
    RETURNING user_id, password_hash, is_guest, is_admin, is_deactivated, created_ts`);
}

export async function updatePasswordHash(
  tx: Transaction,
  userId: UserId,
  passwordHash: string,
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_accounts SET password_hash = ${passwordHash} WHERE user_id = ${userId}`);
}

export async function updateUpgraded(
  tx: Transaction,
  userId: UserId,
  passwordHash: string,
): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_accounts SET is_guest = 0, password_hash = ${passwordHash}
    WHERE user_id = ${userId}`);
}

export async function updateDeactivated(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`
    UPDATE userserver_accounts SET is_deactivated = 1, password_hash = NULL
    WHERE user_id = ${userId}`);
}
