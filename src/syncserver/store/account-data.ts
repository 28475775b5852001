// When which account data of a user last changed.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

export interface AccountDataChange {
  readonly userId: UserId;
  /** '' for global data. */
  readonly roomId: RoomId | '';
  readonly type: string;
  readonly position: number;
}

/** At most one for each user, room and type. */
export async function insertAccountDataChanges(
  tx: Transaction,
  changes: readonly AccountDataChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const data = changes.map(({ userId, roomId, type, position }) => ({
    user_id: userId,
    room_id: roomId,
    type,
    position,
  }));
  const columns = { user_id: 'text', room_id: 'text', type: 'text', position: 'bigint' } as const;
  await tx.run(sql`
    INSERT INTO syncapi_account_data (user_id, room_id, type, position)
    SELECT user_id, room_id, type, position FROM ${rows(columns, data)} WHERE true
    ON CONFLICT (user_id, room_id, type) DO UPDATE SET position = excluded.position`);
}

export async function selectAccountDataChanges(
  database: Queryable,
  userId: UserId,
): Promise<AccountDataChange[]> {
  const found = await database.all<{ room_id: string; type: string; position: number }>(sql`
    SELECT room_id, type, position FROM syncapi_account_data WHERE user_id = ${userId}`);
  return found.map(({ room_id, type, position }) => ({
    userId,
    roomId: room_id as RoomId | '',
    type,
    position,
  }));
}

export async function deleteAccountDataOfUser(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_account_data WHERE user_id = ${userId}`);
}
