// When whose devices or cross-signing keys last changed.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface DeviceListChange {
  readonly userId: UserId;
  /** '': all who share a room with the user, and she herself. */
  readonly seenBy: UserId | '';
  readonly position: number;
}

const COLUMNS = { user_id: 'text', seen_by: 'text', position: 'bigint' } as const;

/** At most one for each user and who sees it. */
export async function upsertDeviceListChanges(
  tx: Transaction,
  changes: readonly DeviceListChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const data = changes.map(({ userId, seenBy, position }) => ({
    user_id: userId,
    seen_by: seenBy,
    position,
  }));
  await tx.run(sql`
    INSERT INTO syncapi_device_lists (user_id, seen_by, position)
    SELECT user_id, seen_by, position FROM ${rows(COLUMNS, data)} WHERE true
    ON CONFLICT (user_id, seen_by) DO UPDATE SET position = excluded.position`);
}

/** Users whose last change lies in the range. */
export async function selectDeviceListChanges(
  database: Queryable,
  range: { readonly seenBy: UserId | ''; readonly after: number; readonly upTo: number },
): Promise<UserId[]> {
  const found = await database.all<{ user_id: string }>(sql`
    SELECT user_id FROM syncapi_device_lists
    WHERE seen_by = ${range.seenBy} AND position > ${range.after} AND position <= ${range.upTo}
    ORDER BY position`);
  return found.map((row) => row.user_id as UserId);
}
