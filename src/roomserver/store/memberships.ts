// roomserver_memberships and roomserver_joined_hosts: who of this server is what in which room, and how many users
// of each server are joined, by the current state.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';

export interface MembershipRow {
  readonly room_id: RoomId;
  readonly membership: string;
  readonly event_id: EventId;
  readonly forgotten: number;
}

export function selectRoomsOfUser(
  from: Queryable,
  userId: UserId,
  memberships: readonly string[],
): Promise<MembershipRow[]> {
  return from.all(
    sql`SELECT room_id, membership, event_id, forgotten FROM roomserver_memberships
      WHERE user_id = ${userId} AND membership IN ${list('text', memberships)} ORDER BY room_id`,
  );
}

export function selectMembership(
  from: Queryable,
  roomId: RoomId,
  userId: UserId,
): Promise<MembershipRow | undefined> {
  return from.get(
    sql`SELECT room_id, membership, event_id, forgotten FROM roomserver_memberships
      WHERE user_id = ${userId} AND room_id = ${roomId}`,
  );
}

/** Whether the user has joined one of the rooms. */
export async function selectIsJoinedToAny(
  from: Queryable,
  userId: UserId,
  roomIds: readonly RoomId[],
): Promise<boolean> {
  const row = await from.get(
    sql`SELECT room_id FROM roomserver_memberships
      WHERE user_id = ${userId} AND room_id IN ${list('text', roomIds)} AND membership = 'join' LIMIT 1`,
  );
  return row !== undefined;
}

export interface MembershipChange {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly membership: string;
  readonly eventId: EventId;
}

const MEMBERSHIP = {
  user_id: 'text',
  room_id: 'text',
  membership: 'text',
  event_id: 'text',
} as const;

/** A new membership is not forgotten, whatever the one before was. */
export async function upsertMemberships(
  tx: Transaction,
  changes: readonly MembershipChange[],
): Promise<void> {
  const data = changes.map((change) => ({
    user_id: change.userId,
    room_id: change.roomId,
    membership: change.membership,
    event_id: change.eventId,
  }));
  await tx.run(
    sql`INSERT INTO roomserver_memberships (user_id, room_id, membership, event_id, forgotten, guest)
      SELECT user_id, room_id, membership, event_id, 0, 0 FROM ${rows(MEMBERSHIP, data)}
      WHERE true
      ON CONFLICT (user_id, room_id) DO UPDATE SET membership = excluded.membership,
        event_id = excluded.event_id, forgotten = 0`,
  );
}

/** Users whose member event is gone from the current state. */
export async function deleteMemberships(
  tx: Transaction,
  gone: readonly Pick<MembershipChange, 'roomId' | 'userId'>[],
): Promise<void> {
  for (const { roomId, userId } of gone) {
    await tx.run(
      sql`DELETE FROM roomserver_memberships WHERE user_id = ${userId} AND room_id = ${roomId}`,
    );
  }
}

export async function updateForgotten(
  tx: Transaction,
  roomId: RoomId,
  userId: UserId,
): Promise<number> {
  return tx.run(
    sql`UPDATE roomserver_memberships SET forgotten = 1 WHERE user_id = ${userId} AND room_id = ${roomId}`,
  );
}

/** Who is a guest, so that guests go when a room closes to them. */
export async function updateGuest(
  tx: Transaction,
  { roomId, userId, isGuest }: { roomId: RoomId; userId: UserId; isGuest: boolean },
): Promise<void> {
  await tx.run(
    sql`UPDATE roomserver_memberships SET guest = ${isGuest ? 1 : 0}
      WHERE user_id = ${userId} AND room_id = ${roomId}`,
  );
}

export async function selectGuests(from: Queryable, roomId: RoomId): Promise<UserId[]> {
  const found = await from.all<{ user_id: UserId }>(
    sql`SELECT user_id FROM roomserver_memberships
      WHERE room_id = ${roomId} AND guest = 1 AND membership = 'join' ORDER BY user_id`,
  );
  return found.map(({ user_id }) => user_id);
}

/** Local users with a membership in the room, at most `limit`. */
export async function selectLocalMembers(
  from: Queryable,
  roomId: RoomId,
  { membership, limit }: { membership: string; limit: number },
): Promise<UserId[]> {
  const found = await from.all<{ user_id: UserId }>(
    sql`SELECT user_id FROM roomserver_memberships
      WHERE room_id = ${roomId} AND membership = ${membership} ORDER BY user_id LIMIT ${limit}`,
  );
  return found.map(({ user_id }) => user_id);
}

export interface HostChange {
  readonly roomId: RoomId;
  readonly host: ServerName;
  readonly by: number;
}

const HOSTS = { room_id: 'text', host: 'text', joined: 'bigint' } as const;

export async function updateJoinedHosts(
  tx: Transaction,
  changes: readonly HostChange[],
): Promise<void> {
  const data = changes.map(({ roomId, host, by }) => ({ room_id: roomId, host, joined: by }));
  await tx.run(
    sql`INSERT INTO roomserver_joined_hosts (room_id, host, joined)
      SELECT room_id, host, joined FROM ${rows(HOSTS, data)}
      WHERE true
      ON CONFLICT (room_id, host) DO UPDATE SET joined = roomserver_joined_hosts.joined + excluded.joined`,
  );
}

/** Those with most users first. */
export async function selectJoinedHosts(
  from: Queryable,
  roomId: RoomId,
  limit: number,
): Promise<ServerName[]> {
  const found = await from.all<{ host: ServerName }>(
    sql`SELECT host FROM roomserver_joined_hosts WHERE room_id = ${roomId} AND joined > 0
      ORDER BY joined DESC, host LIMIT ${limit}`,
  );
  return found.map(({ host }) => host);
}

export async function selectIsJoinedHost(
  from: Queryable,
  roomId: RoomId,
  host: ServerName,
): Promise<boolean> {
  const row = await from.get(
    sql`SELECT host FROM roomserver_joined_hosts
      WHERE room_id = ${roomId} AND host = ${host} AND joined > 0`,
  );
  return row !== undefined;
}

export async function selectJoinedOfHost(
  from: Queryable,
  roomId: RoomId,
  host: ServerName,
): Promise<number> {
  const row = await from.get<{ joined: number }>(
    sql`SELECT joined FROM roomserver_joined_hosts WHERE room_id = ${roomId} AND host = ${host}`,
  );
  return Number(row?.joined ?? 0);
}

export async function deleteMembers(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_memberships WHERE room_id = ${roomId}`);
  await tx.run(sql`DELETE FROM roomserver_joined_hosts WHERE room_id = ${roomId}`);
}
