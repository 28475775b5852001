// userserver_filters.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export async function insertFilter(
  tx: Transaction,
  row: { readonly userId: UserId; readonly filterId: string; readonly filter: string },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_filters (user_id, filter_id, filter)
    VALUES (${row.userId}, ${row.filterId}, ${row.filter})
    ON CONFLICT DO NOTHING`);
}

export async function selectFilter(
  db: Queryable,
  userId: UserId,
  filterId: string,
): Promise<string | undefined> {
  const row = await db.get<{ filter: string }>(sql`
    SELECT filter FROM userserver_filters WHERE user_id = ${userId} AND filter_id = ${filterId}`);
  return row?.filter;
}

export async function deleteFilters(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_filters WHERE user_id = ${userId}`);
}
