// userserver_key_signatures: signatures of keys, checked before they are stored.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface KeySignatureRow {
  readonly target_user_id: UserId;
  /** A device ID, or the public key of a master key. */
  readonly target_key_id: string;
  readonly signer_user_id: UserId;
  /** With `ed25519:`. */
  readonly signer_key_id: string;
  readonly signature: string;
}

const COLUMNS = {
  target_user_id: 'text',
  target_key_id: 'text',
  signer_user_id: 'text',
  signer_key_id: 'text',
  signature: 'text',
} as const;

export async function upsertKeySignatures(
  tx: Transaction,
  signatures: readonly KeySignatureRow[],
): Promise<void> {
  if (signatures.length === 0) return;
  const data = signatures.map((row) => ({ ...row }));
  await tx.run(sql`
    INSERT INTO userserver_key_signatures
      (target_user_id, target_key_id, signer_user_id, signer_key_id, signature)
    SELECT target_user_id, target_key_id, signer_user_id, signer_key_id, signature
    FROM ${rows(COLUMNS, data)} WHERE true
    ON CONFLICT (target_user_id, target_key_id, signer_user_id, signer_key_id)
      DO UPDATE SET signature = excluded.signature`);
}

/** Those of the users' keys that the users themselves have made, and those that `viewer` has. */
export function selectVisibleSignatures(
  db: Queryable,
  userIds: readonly UserId[],
  viewer: UserId | undefined,
): Promise<KeySignatureRow[]> {
  return db.all<KeySignatureRow>(sql`
    SELECT target_user_id, target_key_id, signer_user_id, signer_key_id, signature
    FROM userserver_key_signatures
    WHERE target_user_id IN ${list('text', userIds)}
      AND (signer_user_id = target_user_id OR signer_user_id = ${viewer ?? ''})`);
}

/** Of keys of the user that are gone. */
export async function deleteSignaturesOf(
  tx: Transaction,
  userId: UserId,
  keyIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_key_signatures
    WHERE target_user_id = ${userId} AND target_key_id IN ${list('text', keyIds)}`);
}

/** Made with keys of the user that are gone. `keyIds` with `ed25519:`. */
export async function deleteSignaturesBy(
  tx: Transaction,
  userId: UserId,
  keyIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM userserver_key_signatures
    WHERE signer_user_id = ${userId} AND signer_key_id IN ${list('text', keyIds)}`);
}
