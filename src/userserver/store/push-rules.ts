// userserver_push_rules: what a user has changed about the default push rules, as one JSON document.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export async function upsertPushRuleChanges(
  tx: Transaction,
  userId: UserId,
  changes: string,
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_push_rules (user_id, changes) VALUES (${userId}, ${changes})
    ON CONFLICT (user_id) DO UPDATE SET changes = excluded.changes`);
}

export async function selectPushRuleChanges(
  db: Queryable,
  userId: UserId,
): Promise<string | undefined> {
  const row = await db.get<{ changes: string }>(
    sql`SELECT changes FROM userserver_push_rules WHERE user_id = ${userId}`,
  );
  return row?.changes;
}

export async function deletePushRuleChanges(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_push_rules WHERE user_id = ${userId}`);
}
