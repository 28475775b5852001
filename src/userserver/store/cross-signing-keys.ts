// userserver_cross_signing_keys.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { CrossSigningUsage } from '../keys/keys-api.ts';

export interface CrossSigningKeyRow {
  readonly user_id: UserId;
  readonly usage: CrossSigningUsage;
  /** Unpadded base64. */
  readonly public_key: string;
  /** JSON. */
  readonly key: string;
}

export async function upsertCrossSigningKey(
  tx: Transaction,
  row: CrossSigningKeyRow,
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_cross_signing_keys (user_id, usage, public_key, key)
    VALUES (${row.user_id}, ${row.usage}, ${row.public_key}, ${row.key})
    ON CONFLICT (user_id, usage) DO UPDATE SET
      public_key = excluded.public_key, key = excluded.key`);
}

export function selectCrossSigningKeys(
  db: Queryable,
  userIds: readonly UserId[],
): Promise<CrossSigningKeyRow[]> {
  return db.all<CrossSigningKeyRow>(sql`
    SELECT user_id, usage, public_key, key FROM userserver_cross_signing_keys
    WHERE user_id IN ${list('text', userIds)}`);
}

export async function deleteCrossSigningKeys(
  tx: Transaction,
  userId: UserId,
  usages: readonly CrossSigningUsage[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_cross_signing_keys
    WHERE user_id = ${userId} AND usage IN ${list('text', usages)}`);
}

/** With what the keys have signed, and what has signed them. */
export async function deleteAllCrossSigning(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_cross_signing_keys WHERE user_id = ${userId}`);
  await tx.run(sql`
    DELETE FROM userserver_key_signatures
    WHERE signer_user_id = ${userId} OR target_user_id = ${userId}`);
}
