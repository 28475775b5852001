// Which users of other servers are joined to which rooms: whose device lists are followed, and who shares a room.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

export interface RemoteMember {
  readonly userId: UserId;
  readonly roomId: RoomId;
}

const KEY = { user_id: 'text', room_id: 'text' } as const;

export async function insertRemoteMembers(
  tx: Transaction,
  joined: readonly RemoteMember[],
): Promise<void> {
  if (joined.length === 0) return;
  await tx.run(sql`
    INSERT INTO syncapi_remote_members (user_id, room_id)
    SELECT user_id, room_id FROM ${rows(KEY, joined.map(toRow))} WHERE true
    ON CONFLICT DO NOTHING`);
}

export async function deleteRemoteMembers(
  tx: Transaction,
  left: readonly RemoteMember[],
): Promise<void> {
  if (left.length === 0) return;
  await tx.run(sql`
    DELETE FROM syncapi_remote_members WHERE EXISTS (
      SELECT 1 FROM ${rows(KEY, left.map(toRow))}
      WHERE syncapi_remote_members.user_id = r.user_id
        AND syncapi_remote_members.room_id = r.room_id)`);
}

export async function deleteRemoteMembersOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_remote_members WHERE room_id = ${roomId}`);
}

/** Those of the users of other servers who are in a room with the user now. */
export async function selectRemoteSharers(
  database: Queryable,
  userId: UserId,
  others: readonly UserId[],
): Promise<UserId[]> {
  const data = others.map((user_id) => ({ user_id }));
  const found = await database.all<{ user_id: string }>(sql`
    SELECT r.user_id AS user_id FROM ${rows({ user_id: 'text' }, data)}
    WHERE EXISTS (
      SELECT 1 FROM syncapi_remote_members other CROSS JOIN syncapi_memberships mine
      WHERE other.user_id = r.user_id AND mine.user_id = ${userId}
        AND mine.room_id = other.room_id AND mine.membership = 'join'
        AND mine.until_position IS NULL)`);
  return found.map((row) => row.user_id as UserId);
}

/** Those of the users of other servers who are in a room with anybody of this server now. */
export async function selectFollowed(
  database: Queryable,
  userIds: readonly UserId[],
): Promise<UserId[]> {
  const data = userIds.map((user_id) => ({ user_id }));
  const found = await database.all<{ user_id: string }>(sql`
    SELECT r.user_id AS user_id FROM ${rows({ user_id: 'text' }, data)}
    WHERE EXISTS (
      SELECT 1 FROM syncapi_remote_members other CROSS JOIN syncapi_memberships own
      WHERE other.user_id = r.user_id AND own.room_id = other.room_id
        AND own.membership = 'join' AND own.until_position IS NULL)`);
  return found.map((row) => row.user_id as UserId);
}

export async function selectRoomsOfRemoteUser(
  database: Queryable,
  userId: UserId,
): Promise<RoomId[]> {
  const found = await database.all<{ room_id: string }>(sql`
    SELECT room_id FROM syncapi_remote_members WHERE user_id = ${userId}`);
  return found.map((row) => row.room_id as RoomId);
}

/** All that are in the room now, of this server and of others. */
export async function selectMembersOfRoom(database: Queryable, roomId: RoomId): Promise<UserId[]> {
  const found = await database.all<{ user_id: string }>(sql`
    SELECT user_id FROM syncapi_memberships
    WHERE room_id = ${roomId} AND membership = 'join' AND until_position IS NULL
    UNION SELECT user_id FROM syncapi_remote_members WHERE room_id = ${roomId}`);
  return found.map((row) => row.user_id as UserId);
}

function toRow({ userId, roomId }: RemoteMember) {
  return { user_id: userId, room_id: roomId };
}
