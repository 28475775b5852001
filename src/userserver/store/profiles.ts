// userserver_profiles.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

export interface ProfileRow {
  readonly user_id: UserId;
  readonly displayname: string | null;
  readonly avatar_url: string | null;
  /** All fields, as JSON. */
  readonly fields: string;
  readonly search_key: string;
}

export async function upsertProfile(tx: Transaction, row: ProfileRow): Promise<void> {
  await tx.run(sql`
    INSERT INTO userserver_profiles (user_id, displayname, avatar_url, fields, search_key)
    VALUES (${row.user_id}, ${row.displayname}, ${row.avatar_url}, ${row.fields}, ${row.search_key})
    ON CONFLICT (user_id) DO UPDATE SET displayname = excluded.displayname,
      avatar_url = excluded.avatar_url, fields = excluded.fields, search_key = excluded.search_key`);
}

export async function selectProfileFields(
  db: Queryable,
  userId: UserId,
): Promise<string | undefined> {
  const row = await db.get<{ fields: string }>(
    sql`SELECT fields FROM userserver_profiles WHERE user_id = ${userId}`,
  );
  return row?.fields;
}

export function selectManyProfileFields(
  db: Queryable,
  userIds: readonly UserId[],
): Promise<{ user_id: UserId; fields: string }[]> {
  return db.all(sql`
    SELECT user_id, fields FROM userserver_profiles WHERE user_id IN ${list('text', userIds)}`);
}

export interface FoundProfileRow {
  readonly user_id: UserId;
  readonly displayname: string | null;
  readonly avatar_url: string | null;
}

/** Users in use, no guests, whose user ID starts so. */
export function selectProfilesNamed(
  db: Queryable,
  start: string,
  limit: number,
): Promise<FoundProfileRow[]> {
  return db.all<FoundProfileRow>(sql`
    SELECT p.user_id, p.displayname, p.avatar_url
    FROM userserver_profiles p JOIN userserver_accounts a ON a.user_id = p.user_id
    WHERE p.user_id >= ${start} AND p.user_id < ${`${start}\u{10ffff}`}
      AND a.is_deactivated = 0 AND a.is_guest = 0
    ORDER BY p.user_id LIMIT ${limit}`);
}

/** Users in use, no guests, whose search key is like `pattern`: of those after `after`, not beyond `upTo`. */
export function selectProfilesLike(
  db: Queryable,
  request: {
    readonly pattern: string;
    readonly after: UserId;
    readonly upTo: UserId;
    readonly limit: number;
  },
): Promise<FoundProfileRow[]> {
  return db.all<FoundProfileRow>(sql`
    SELECT p.user_id, p.displayname, p.avatar_url
    FROM userserver_profiles p JOIN userserver_accounts a ON a.user_id = p.user_id
    WHERE p.user_id > ${request.after} AND p.user_id <= ${request.upTo}
      AND p.search_key LIKE ${request.pattern} ESCAPE '!'
      AND a.is_deactivated = 0 AND a.is_guest = 0
    ORDER BY p.user_id LIMIT ${request.limit}`);
}

/** The last of the next `count` users; undefined when there are none. */
export async function selectEndOfProfiles(
  db: Queryable,
  after: UserId,
  count: number,
): Promise<UserId | undefined> {
  const row = await db.get<{ last: UserId | null }>(sql`
    SELECT max(user_id) AS last FROM (
      SELECT user_id FROM userserver_profiles WHERE user_id > ${after}
      ORDER BY user_id LIMIT ${count}
    ) AS stretch`);
  return row?.last ?? undefined;
}

export async function deleteProfile(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`DELETE FROM userserver_profiles WHERE user_id = ${userId}`);
}
