// userserver_account_data. The room ID of global account data is ''.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

export interface AccountDataKey {
  readonly userId: UserId;
  readonly roomId: RoomId | '';
  readonly type: string;
}

/** What an entry counts for besides its content. */
const ENTRY_BYTES = 300;

/** Returns how many bytes of account data the user has now, and whether that is more than before. */
export async function upsertAccountData(
  tx: Transaction,
  key: AccountDataKey,
  content: string,
): Promise<{ readonly total: number; readonly isMore: boolean }> {
  const before = await tx.get<{ bytes: number }>(sql`
    SELECT octet_length(content) AS bytes FROM userserver_account_data
    WHERE user_id = ${key.userId} AND room_id = ${key.roomId} AND type = ${key.type}`);
  await tx.run(sql`
    INSERT INTO userserver_account_data (user_id, room_id, type, content)
    VALUES (${key.userId}, ${key.roomId}, ${key.type}, ${content})
    ON CONFLICT (user_id, room_id, type) DO UPDATE SET content = excluded.content`);
  const by = Buffer.byteLength(content) - (before?.bytes ?? -ENTRY_BYTES);
  const account = await tx.get<{ total: number }>(sql`
    UPDATE userserver_accounts SET account_data_bytes = account_data_bytes + ${by}
    WHERE user_id = ${key.userId} RETURNING account_data_bytes AS total`);
  return { total: account?.total ?? 0, isMore: by > 0 };
}

export async function selectAccountData(
  db: Queryable,
  key: AccountDataKey,
): Promise<string | undefined> {
  const row = await db.get<{ content: string }>(sql`
    SELECT content FROM userserver_account_data
    WHERE user_id = ${key.userId} AND room_id = ${key.roomId} AND type = ${key.type}`);
  return row?.content;
}

export interface AccountDataRow {
  readonly room_id: RoomId | '';
  readonly type: string;
  readonly content: string;
}

export function selectAllAccountData(db: Queryable, userId: UserId): Promise<AccountDataRow[]> {
  return db.all<AccountDataRow>(sql`
    SELECT room_id, type, content FROM userserver_account_data
    WHERE user_id = ${userId} ORDER BY room_id, type`);
}

export async function deleteAllAccountData(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_account_data WHERE user_id = ${userId}`);
  await tx.run(
    sql`UPDATE userserver_accounts SET account_data_bytes = 0 WHERE user_id = ${userId}`,
  );
}
