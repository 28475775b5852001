// roomserver_lacking_members: members of a state that arrived as a whole whose events could not be verified then, since the
// keys of their servers could not be had.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

export interface LackingMember {
  readonly roomId: RoomId;
  /** As the event has it: not verified. */
  readonly userId: UserId;
}

export async function selectLackingMembers(from: Queryable): Promise<LackingMember[]> {
  const found = await from.all<{ room_id: RoomId; user_id: UserId }>(
    sql`SELECT room_id, user_id FROM roomserver_lacking_members`,
  );
  return found.map((row) => ({ roomId: row.room_id, userId: row.user_id }));
}

export async function insertLackingMembers(
  tx: Transaction,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<void> {
  if (userIds.length === 0) return;
  const added = userIds.map((userId) => ({ user_id: userId }));
  await tx.run(
    sql`INSERT INTO roomserver_lacking_members (room_id, user_id)
      SELECT ${roomId}, user_id FROM ${rows({ user_id: 'text' }, added)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

export async function deleteLackingMembers(
  tx: Transaction,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<void> {
  if (userIds.length === 0) return;
  await tx.run(
    sql`DELETE FROM roomserver_lacking_members
      WHERE room_id = ${roomId} AND user_id IN ${list('text', userIds)}`,
  );
}

export async function deleteLackingMembersOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_lacking_members WHERE room_id = ${roomId}`);
}
