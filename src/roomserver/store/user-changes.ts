// roomserver_user_changes: what has changed of a user and has to reach the rooms that the user is in. A row stays
// until that is done, so that a restart takes it up again.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

/** A user has at most one of each kind: the latest. */
export interface UserChange {
  readonly userId: UserId;
  readonly kind: 'profile' | 'deactivation';
  /** Of the entry in `userserver.output`. */
  readonly position: number;
  readonly displayname: string | undefined;
  readonly avatarUrl: string | undefined;
}

interface UserChangeRow {
  readonly user_id: UserId;
  readonly kind: UserChange['kind'];
  readonly position: number;
  readonly displayname: string | null;
  readonly avatar_url: string | null;
}

const COLUMNS = {
  user_id: 'text',
  kind: 'text',
  position: 'bigint',
  displayname: 'text',
  avatar_url: 'text',
} as const;

export async function upsertUserChanges(
  tx: Transaction,
  changes: readonly UserChange[],
): Promise<void> {
  const data = changes.map((change) => ({
    user_id: change.userId,
    kind: change.kind,
    position: change.position,
    displayname: change.displayname ?? null,
    avatar_url: change.avatarUrl ?? null,
  }));
  await tx.run(
    sql`INSERT INTO roomserver_user_changes (user_id, kind, position, displayname, avatar_url)
      SELECT user_id, kind, position, displayname, avatar_url FROM ${rows(COLUMNS, data)}
      WHERE true
      ON CONFLICT (user_id, kind) DO UPDATE SET position = excluded.position,
        displayname = excluded.displayname, avatar_url = excluded.avatar_url`,
  );
}

/** In order of position, those after one. */
export async function selectUserChanges(
  from: Queryable,
  after: number,
  limit: number,
): Promise<UserChange[]> {
  const found = await from.all<UserChangeRow>(
    sql`SELECT user_id, kind, position, displayname, avatar_url FROM roomserver_user_changes
      WHERE position > ${after} ORDER BY position LIMIT ${limit}`,
  );
  return found.map((row) => ({
    userId: row.user_id,
    kind: row.kind,
    position: row.position,
    displayname: row.displayname ?? undefined,
    avatarUrl: row.avatar_url ?? undefined,
  }));
}

/** A later change that has taken the row stays. */
export async function deleteUserChange(
  tx: Transaction,
  { userId, kind, position }: UserChange,
): Promise<void> {
  await tx.run(
    sql`DELETE FROM roomserver_user_changes
      WHERE user_id = ${userId} AND kind = ${kind} AND position = ${position}`,
  );
}
