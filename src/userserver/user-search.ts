// The user directory: a plain search in user IDs and display names, a stretch of the table at a time.

import { setImmediate } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { UserserverApi } from './api.ts';
import { foldForSearch } from './profile-fields.ts';
import {
  type FoundProfileRow,
  selectEndOfProfiles,
  selectProfilesLike,
  selectProfilesNamed,
} from './store/profiles.ts';

type Search = UserserverApi['searchUsers'];

const MAX_LIMIT = 50;
/** Longer than any user ID with a display name. */
const MAX_TERM_LENGTH = 512;
/** Profiles read between two turns of the event loop. */
const STRETCH = 2_000;

export async function searchProfiles(
  database: Database,
  request: Parameters<Search>[0],
): ReturnType<Search> {
  const term = foldForSearch(request.term.trim());
  const limit = Math.min(Math.max(request.limit, 0), MAX_LIMIT);
  if (term === '' || term.length > MAX_TERM_LENGTH) return { results: [], limited: false };
  const found = await search(database, term, limit + 1);
  return { results: found.slice(0, limit).map(toResult), limited: found.length > limit };
}

/** Those whose name starts with the term are the likelier ones, and come first. */
async function search(
  database: Database,
  term: string,
  limit: number,
): Promise<readonly FoundProfileRow[]> {
  const start = `@${term.replace(/^@/, '')}`;
  const found = await selectProfilesNamed(database, start, limit);
  const isLikely = ({ user_id }: FoundProfileRow) => user_id.startsWith(start);
  const pattern = `%${term.replaceAll(/[!%_]/g, '!$&')}%`;
  let after = '' as UserId;
  while (found.length < limit) {
    const end = await selectEndOfProfiles(database, after, STRETCH);
    if (end === undefined) break;
    const rows = await selectProfilesLike(database, { pattern, after, upTo: end, limit });
    found.push(...rows.filter((row) => !isLikely(row)));
    after = end;
    await setImmediate();
  }
  return found.slice(0, limit);
}

function toResult(row: FoundProfileRow): Awaited<ReturnType<Search>>['results'][number] {
  return {
    userId: row.user_id,
    ...(row.displayname !== null && { displayname: row.displayname }),
    ...(row.avatar_url !== null && { avatarUrl: row.avatar_url }),
  };
}
