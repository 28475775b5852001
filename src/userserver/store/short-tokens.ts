// userserver_short_tokens: login tokens and OpenID tokens, which live for minutes.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface ShortTokenRow {
  readonly token_hash: string;
  readonly purpose: 'login' | 'openid';
  readonly user_id: UserId;
  /** ms since the epoch. */
  readonly expires_ts: number;
}

export async function insertShortToken(tx: Transaction, row: ShortTokenRow): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_short_tokens (token_hash, purpose, user_id, expires_ts)
    VALUES (${row.token_hash}, ${row.purpose}, ${row.user_id}, ${row.expires_ts})`);
}

export function selectShortToken(
  db: Queryable,
  tokenHash: string,
  purpose: ShortTokenRow['purpose'],
): Promise<ShortTokenRow | undefined> {
  return db.get<ShortTokenRow>(sql`
    SELECT token_hash, purpose, user_id, expires_ts FROM userserver_short_tokens
    WHERE token_hash = ${tokenHash} AND purpose = ${purpose}`);
}

/** Takes the token, so that it cannot be used again. */
export function deleteShortToken(
  tx: Transaction,
  tokenHash: string,
  purpose: ShortTokenRow['purpose'],
): Promise<ShortTokenRow | undefined> {
  return tx.get<ShortTokenRow>(sql`
    DELETE FROM userserver_short_tokens WHERE token_hash = ${tokenHash} AND purpose = ${purpose}
    RETURNING token_hash, purpose, user_id, expires_ts`);
}

/** Those of the user that expired before `before` (ms since the epoch). */
export async function deleteExpiredShortTokens(
  tx: Transaction,
  userId: UserId,
  before: number,
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_short_tokens WHERE user_id = ${userId} AND expires_ts < ${before}`);
}

export async function deleteLoginTokens(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_short_tokens WHERE user_id = ${userId} AND purpose = 'login'`);
}

export async function deleteAllShortTokens(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_short_tokens WHERE user_id = ${userId}`);
}
