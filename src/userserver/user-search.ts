// The user directory: a plain search in user IDs and display names.

import type { Database } from '../database/database.ts';
import type { UserserverApi } from './api.ts';
import { foldForSearch } from './profile-fields.ts';
import { type FoundProfileRow, selectProfilesLike } from './store/profiles.ts';

type Search = UserserverApi['searchUsers'];

const MAX_LIMIT = 50;
/** Longer than any user ID with a display name. */
const MAX_TERM_LENGTH = 512;

export async function searchProfiles(
  database: Database,
  request: Parameters<Search>[0],
): ReturnType<Search> {
  const term = foldForSearch(request.term.trim());
  const limit = Math.min(Math.max(request.limit, 0), MAX_LIMIT);
  if (term === '' || term.length > MAX_TERM_LENGTH) return { results: [], limited: false };
  const escaped = term.replaceAll(/[!%_]/g, '!$&');
  // Those whose name starts with the term are the likelier ones.
  const preferred = `@${escaped.replace(/^@/, '')}%`;
  const pattern = `%${escaped}%`;
  const found = await selectProfilesLike(database, { pattern, preferred, limit: limit + 1 });
  return { results: found.slice(0, limit).map(toResult), limited: found.length > limit };
}

function toResult(row: FoundProfileRow): Awaited<ReturnType<Search>>['results'][number] {
  return {
    userId: row.user_id,
    ...(row.displayname !== null && { displayname: row.displayname }),
    ...(row.avatar_url !== null && { avatarUrl: row.avatar_url }),
  };
}
