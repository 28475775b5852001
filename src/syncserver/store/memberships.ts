// The history of local users' memberships: what each was in a room, from which position to which.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

export interface Membership {
  readonly userId: UserId;
  readonly roomId: RoomId;
  /** Of the log entry that brought it. */
  readonly position: number;
  readonly membership: string;
  readonly eventId: EventId;
  readonly forgotten: boolean;
  /** Only for invites and knocks of rooms in which this server is not; of what ended them, the user's member event whole. */
  readonly strippedState?: readonly JsonObject[];
}

interface StoredMembership {
  readonly user_id: string;
  readonly room_id: string;
  readonly position: number;
  readonly membership: string;
  readonly event_id: string;
  readonly forgotten: number;
  readonly stripped_state: string | null;
}

const KEY = { user_id: 'text', room_id: 'text', position: 'bigint' } as const;

/** Ends what holds and begins what is given; at most one for each user and room. */
export async function insertMemberships(
  tx: Transaction,
  changes: readonly Membership[],
): Promise<void> {
  if (changes.length === 0) return;
  const data = changes.map(toStored);
  await tx.run(sql`
    UPDATE syncapi_memberships SET until_position = r.position
    FROM ${rows(KEY, data)}
    WHERE syncapi_memberships.user_id = r.user_id AND syncapi_memberships.room_id = r.room_id
      AND syncapi_memberships.until_position IS NULL`);
  await tx.run(sql`
    INSERT INTO syncapi_memberships
      (user_id, room_id, position, membership, event_id, forgotten, stripped_state)
    SELECT user_id, room_id, position, membership, event_id, forgotten, stripped_state
    FROM ${rows(
      {
        ...KEY,
        membership: 'text',
        event_id: 'text',
        forgotten: 'bigint',
        stripped_state: 'text',
      },
      data,
    )}`);
}

export async function updateForgotten(
  tx: Transaction,
  userId: UserId,
  roomId: RoomId,
): Promise<void> {
  await tx.run(sql`
    UPDATE syncapi_memberships SET forgotten = 1
    WHERE user_id = ${userId} AND room_id = ${roomId} AND until_position IS NULL`);
}

export async function selectCurrentMembership(
  database: Queryable,
  userId: UserId,
  roomId: RoomId,
): Promise<string | undefined> {
  const found = await database.get<{ membership: string }>(sql`
    SELECT membership FROM syncapi_memberships
    WHERE user_id = ${userId} AND room_id = ${roomId} AND until_position IS NULL`);
  return found?.membership;
}

/** Of all rooms of the user, in order of position. */
export async function selectMembershipsOfUser(
  database: Queryable,
  userId: UserId,
): Promise<Membership[]> {
  const found = await database.all<StoredMembership>(sql`
    SELECT user_id, room_id, position, membership, event_id, forgotten, stripped_state
    FROM syncapi_memberships WHERE user_id = ${userId} ORDER BY position`);
  return found.map(fromStored);
}

/** Those of the local users who are in a room with the user now. */
export async function selectSharers(
  database: Queryable,
  userId: UserId,
  others: readonly UserId[],
): Promise<UserId[]> {
  const data = others.map((user_id) => ({ user_id }));
  const found = await database.all<{ user_id: string }>(sql`
    SELECT r.user_id AS user_id FROM ${rows({ user_id: 'text' }, data)}
    WHERE EXISTS (
      SELECT 1 FROM syncapi_memberships other CROSS JOIN syncapi_memberships mine
      WHERE other.user_id = r.user_id AND other.membership = 'join' AND other.until_position IS NULL
        AND mine.user_id = ${userId} AND mine.room_id = other.room_id
        AND mine.membership = 'join' AND mine.until_position IS NULL)`);
  return found.map((row) => row.user_id as UserId);
}

/** Local users who are in a room with the user now, herself included: so many of them, whichever. */
export async function selectNeighbours(
  database: Queryable,
  userId: UserId,
  limit: number,
): Promise<UserId[]> {
  const found = await database.all<{ user_id: string }>(sql`
    SELECT DISTINCT other.user_id
    FROM syncapi_memberships mine
    JOIN syncapi_memberships other ON other.room_id = mine.room_id
      AND other.membership = 'join' AND other.until_position IS NULL
    WHERE mine.user_id = ${userId} AND mine.membership = 'join' AND mine.until_position IS NULL
    LIMIT ${limit}`);
  return found.map((row) => row.user_id as UserId);
}

/** Local users who are in the room now: so many of them, whichever. */
export async function selectLocalMembers(
  database: Queryable,
  roomId: RoomId,
  limit: number,
): Promise<UserId[]> {
  const found = await database.all<{ user_id: string }>(sql`
    SELECT user_id FROM syncapi_memberships
    WHERE room_id = ${roomId} AND membership = 'join' AND until_position IS NULL
    LIMIT ${limit}`);
  return found.map((row) => row.user_id as UserId);
}

function toStored(
  change: Membership,
): Readonly<Record<keyof StoredMembership, string | number | null>> {
  const { strippedState } = change;
  return {
    user_id: change.userId,
    room_id: change.roomId,
    position: change.position,
    membership: change.membership,
    event_id: change.eventId,
    forgotten: change.forgotten ? 1 : 0,
    stripped_state: strippedState === undefined ? null : JSON.stringify(strippedState),
  };
}

function fromStored(row: StoredMembership): Membership {
  return {
    userId: row.user_id as UserId,
    roomId: row.room_id as RoomId,
    position: row.position,
    membership: row.membership,
    eventId: row.event_id as EventId,
    forgotten: row.forgotten === 1,
    ...(row.stripped_state !== null && {
      strippedState: JSON.parse(row.stripped_state) as JsonObject[],
    }),
  };
}
