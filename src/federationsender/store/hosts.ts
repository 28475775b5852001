// Who is joined to which room: other servers with their number of members, and the users of this server.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

/** Number of members by destination. */
export type HostCounts = ReadonlyMap<number, number>;

const COUNTS = { destination_id: 'bigint', members: 'bigint', room_id: 'text' } as const;
const MEMBERS = { user_id: 'text', room_id: 'text' } as const;

/** Returns the destinations that had no members before. */
export async function addHosts(
  tx: Transaction,
  roomId: RoomId,
  hosts: HostCounts,
): Promise<number[]> {
  if (hosts.size === 0) return [];
  const found = await tx.all<{ destination_id: number; members: number }>(sql`
    INSERT INTO federationsender_hosts (destination_id, members, room_id, away)
    SELECT r.destination_id, r.members, r.room_id, d.catching_up
    FROM ${rows(COUNTS, dataOf(roomId, hosts))}
    JOIN federationsender_destinations d ON d.id = r.destination_id
    WHERE true ON CONFLICT (room_id, destination_id)
      DO UPDATE SET members = federationsender_hosts.members + excluded.members
    RETURNING destination_id, members`);
  const fresh = found.filter((row) => row.members === hosts.get(row.destination_id));
  return fresh.map((row) => row.destination_id);
}

/** Returns the destinations that have no members left. */
export async function removeHosts(
  tx: Transaction,
  roomId: RoomId,
  hosts: HostCounts,
): Promise<number[]> {
  if (hosts.size === 0) return [];
  await tx.run(sql`
    UPDATE federationsender_hosts SET members = federationsender_hosts.members - r.members
    FROM ${rows(COUNTS, dataOf(roomId, hosts))}
    WHERE federationsender_hosts.room_id = r.room_id
      AND federationsender_hosts.destination_id = r.destination_id`);
  const gone = await tx.all<{ destination_id: number }>(sql`
    DELETE FROM federationsender_hosts
    WHERE room_id = ${roomId} AND destination_id IN ${list('bigint', [...hosts.keys()])}
      AND members <= 0
    RETURNING destination_id`);
  return gone.map((row) => row.destination_id);
}

function dataOf(roomId: RoomId, hosts: HostCounts) {
  return [...hosts].map(([destination_id, members]) => ({
    destination_id,
    members,
    room_id: roomId,
  }));
}

export async function insertLocalMembers(
  tx: Transaction,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<void> {
  if (userIds.length === 0) return;
  const data = userIds.map((user_id) => ({ user_id, room_id: roomId }));
  await tx.run(sql`
    INSERT INTO federationsender_local_members (user_id, room_id)
    SELECT user_id, room_id FROM ${rows(MEMBERS, data)} WHERE true ON CONFLICT DO NOTHING`);
}

/** So many of them, whichever. */
export async function selectLocalMembers(
  database: Queryable,
  roomId: RoomId,
  limit: number,
): Promise<UserId[]> {
  const found = await database.all<{ user_id: UserId }>(sql`
    SELECT user_id FROM federationsender_local_members WHERE room_id = ${roomId} LIMIT ${limit}`);
  return found.map((row) => row.user_id);
}

export async function deleteLocalMembers(
  tx: Transaction,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<void> {
  if (userIds.length === 0) return;
  await tx.run(sql`
    DELETE FROM federationsender_local_members
    WHERE room_id = ${roomId} AND user_id IN ${list('text', userIds)}`);
}

export async function hasLocalMembers(tx: Transaction, roomId: RoomId): Promise<boolean> {
  const found = await tx.get(sql`
    SELECT user_id FROM federationsender_local_members WHERE room_id = ${roomId} LIMIT 1`);
  return found !== undefined;
}

/** Servers in the room to which sending works. */
export async function selectLivingHosts(database: Queryable, roomId: RoomId): Promise<number[]> {
  const found = await database.all<{ id: number }>(sql`
    SELECT d.id FROM federationsender_hosts h
    JOIN federationsender_destinations d ON d.id = h.destination_id
    WHERE h.room_id = ${roomId} AND h.away = 0 AND d.retry_at = 0`);
  return found.map(({ id }) => id);
}

/** Servers that share a room with the user of this server, and to which sending works. */
export async function selectLivingNeighbours(
  database: Queryable,
  userId: UserId,
): Promise<number[]> {
  const found = await database.all<{ id: number }>(sql`
    SELECT d.id FROM federationsender_destinations d
    WHERE d.retry_at = 0 AND d.id IN (
      SELECT h.destination_id FROM federationsender_local_members m
      JOIN federationsender_hosts h ON h.room_id = m.room_id
      WHERE m.user_id = ${userId} AND h.away = 0)`);
  return found.map(({ id }) => id);
}

/** Servers that share a room with the user of this server, but those that are to catch up. */
export async function selectNeighbours(tx: Transaction, userId: UserId): Promise<number[]> {
  const found = await tx.all<{ destination_id: number }>(sql`
    SELECT DISTINCT h.destination_id FROM federationsender_local_members m
    JOIN federationsender_hosts h ON h.room_id = m.room_id
    WHERE m.user_id = ${userId} AND h.away = 0`);
  return found.map((row) => row.destination_id);
}

/** Servers in the room that share no other one with the user of this server. */
export async function selectNewNeighbours(
  tx: Transaction,
  roomId: RoomId,
  userId: UserId,
): Promise<{ id: number; isAway: boolean }[]> {
  const found = await tx.all<{ destination_id: number; away: number }>(sql`
    SELECT destination_id, away FROM federationsender_hosts
    WHERE room_id = ${roomId} AND destination_id NOT IN (
      SELECT h.destination_id FROM federationsender_local_members m
      JOIN federationsender_hosts h ON h.room_id = m.room_id
      WHERE m.user_id = ${userId} AND m.room_id <> ${roomId})`);
  return found.map((row) => ({ id: row.destination_id, isAway: row.away > 0 }));
}

export async function deleteMembersOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM federationsender_hosts WHERE room_id = ${roomId}`);
  await tx.run(sql`DELETE FROM federationsender_local_members WHERE room_id = ${roomId}`);
}
