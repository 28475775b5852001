// userserver_room_keys: the keys in backups.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface RoomKeyRow {
  readonly room_id: string;
  readonly session_id: string;
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: number;
  /** JSON. */
  readonly session_data: string;
}

export interface BackupKey {
  readonly userId: UserId;
  readonly version: number;
}

/** '' stands for all. */
export interface RoomKeyRange extends BackupKey {
  readonly roomId: string;
  readonly sessionId: string;
}

const COLUMNS = {
  room_id: 'text',
  session_id: 'text',
  first_message_index: 'bigint',
  forwarded_count: 'bigint',
  is_verified: 'bigint',
  session_data: 'text',
} as const;

export function selectRoomKeys(db: Queryable, range: RoomKeyRange): Promise<RoomKeyRow[]> {
  const { userId, version, roomId, sessionId } = range;
  return db.all<RoomKeyRow>(sql`
    SELECT room_id, session_id, first_message_index, forwarded_count, is_verified, session_data
    FROM userserver_room_keys
    WHERE user_id = ${userId} AND version = ${version}
      AND (room_id = ${roomId} OR CAST(${roomId} AS TEXT) = '')
      AND (session_id = ${sessionId} OR CAST(${sessionId} AS TEXT) = '')
    ORDER BY room_id, session_id`);
}

/** The first ones after a session, in order: of so many bytes together, but one in any case. No others are read. */
export function selectRoomKeysAfter(
  db: Queryable,
  range: BackupKey & {
    /** '' stands for all. */
    readonly roomId: string;
    readonly after: { readonly roomId: string; readonly sessionId: string };
    readonly count: number;
    readonly bytes: number;
  },
): Promise<RoomKeyRow[]> {
  const { userId, version, roomId, after } = range;
  return db.all<RoomKeyRow>(sql`
    SELECT k.room_id, k.session_id, k.first_message_index, k.forwarded_count, k.is_verified,
      k.session_data
    FROM (
      SELECT room_id, session_id, size, SUM(size) OVER (ORDER BY room_id, session_id) AS total
      FROM (
        SELECT room_id, session_id, OCTET_LENGTH(session_data) AS size FROM userserver_room_keys
        WHERE user_id = ${userId} AND version = ${version}
          AND (room_id, session_id) > (${after.roomId}, ${after.sessionId})
          AND (room_id = ${roomId} OR CAST(${roomId} AS TEXT) = '')
        ORDER BY room_id, session_id LIMIT ${range.count}) AS first_ones
    ) AS summed
    CROSS JOIN userserver_room_keys k
    WHERE k.user_id = ${userId} AND k.version = ${version}
      AND k.room_id = summed.room_id AND k.session_id = summed.session_id
      AND (summed.total <= ${range.bytes} OR summed.total = summed.size)
    ORDER BY k.room_id, k.session_id`);
}

/** Those of the given rooms and sessions that are there. */
export function selectRoomKeysAmong(
  db: Queryable,
  { userId, version }: BackupKey,
  keys: readonly RoomKeyRow[],
): Promise<RoomKeyRow[]> {
  const data = keys.map(({ room_id, session_id }) => ({ room_id, session_id }));
  return db.all<RoomKeyRow>(sql`
    SELECT k.room_id, k.session_id, k.first_message_index, k.forwarded_count, k.is_verified,
      k.session_data
    FROM ${rows({ room_id: 'text', session_id: 'text' }, data)}
    JOIN userserver_room_keys k ON k.user_id = ${userId} AND k.version = ${version}
      AND k.room_id = r.room_id AND k.session_id = r.session_id`);
}

export async function upsertRoomKeys(
  tx: Transaction,
  { userId, version }: BackupKey,
  keys: readonly RoomKeyRow[],
): Promise<void> {
  if (keys.length === 0) return;
  const data = keys.map((row) => ({ ...row }));
  await tx.run(sql`
    INSERT INTO userserver_room_keys (user_id, version, room_id, session_id, first_message_index,
      forwarded_count, is_verified, session_data)
    SELECT CAST(${userId} AS TEXT), CAST(${version} AS BIGINT), room_id, session_id,
      first_message_index, forwarded_count, is_verified, session_data
    FROM ${rows(COLUMNS, data)} WHERE true
    ON CONFLICT (user_id, version, room_id, session_id) DO UPDATE SET
      first_message_index = excluded.first_message_index,
      forwarded_count = excluded.forwarded_count,
      is_verified = excluded.is_verified,
      session_data = excluded.session_data`);
}

export async function selectRoomKeyCount(
  db: Queryable,
  { userId, version }: BackupKey,
): Promise<number> {
  const row = await db.get<{ count: number }>(sql`
    SELECT COUNT(*) AS count FROM userserver_room_keys
    WHERE user_id = ${userId} AND version = ${version}`);
  return row?.count ?? 0;
}

/** Returns how many there were. */
export function deleteRoomKeys(tx: Transaction, range: RoomKeyRange): Promise<number> {
  const { userId, version, roomId, sessionId } = range;
  return tx.run(sql`
    DELETE FROM userserver_room_keys
    WHERE user_id = ${userId} AND version = ${version}
      AND (room_id = ${roomId} OR CAST(${roomId} AS TEXT) = '')
      AND (session_id = ${sessionId} OR CAST(${sessionId} AS TEXT) = '')`);
}
