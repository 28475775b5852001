// Profiles: read, changed, searched.

import { MatrixError } from '../protocol/error.ts';
import { serverNameOf } from '../protocol/identifiers.ts';
import { type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import type { UserserverApi, Written } from './api.ts';
import type { UserserverContext } from './context.ts';
import type { UserChange } from './output.ts';
import { checkProfileField, checkProfileValue, profileRow, withField } from './profile-fields.ts';
import { lockAccount, selectAccount } from './store/accounts.ts';
import { selectManyProfileFields, selectProfileFields, upsertProfile } from './store/profiles.ts';
import { searchProfiles } from './user-search.ts';

export function createProfiles(
  context: UserserverContext,
): Pick<
  UserserverApi,
  'queryProfile' | 'queryProfiles' | 'performSetProfileField' | 'searchUsers'
> {
  const { database, serverName, remoteProfiles } = context;
  return {
    queryProfile: async ({ userId }) => {
      if (serverNameOf(userId) !== serverName) return remoteProfiles.find(userId);
      const fields = await selectProfileFields(database, userId);
      if (fields !== undefined) return parseFields(fields);
      // Erased users have no profile but still exist.
      return (await selectAccount(database, userId)) && {};
    },
    queryProfiles: async ({ userIds }) => {
      if (userIds.length === 0) return {};
      const found = await selectManyProfileFields(database, userIds);
      return Object.fromEntries(found.map((row) => [row.user_id, parseFields(row.fields)]));
    },
    performSetProfileField: (request) => setField(context, request),
    searchUsers: (request) => searchProfiles(database, request),
  };
}

function parseFields(text: string | undefined): JsonObject {
  return text === undefined ? {} : (parseJsonExactly(text) as JsonObject);
}

async function setField(
  context: UserserverContext,
  request: Parameters<UserserverApi['performSetProfileField']>[0],
): Promise<Written> {
  const { userId, field, value } = request;
  checkProfileField(field);
  if (value !== undefined) checkProfileValue(field, value);
  return context.write(userId, async (tx) => {
    await checkActive(lockAccount(tx, userId));
    const profile = parseFields(await selectProfileFields(tx, userId));
    const changed = withField(profile, field, value);
    await upsertProfile(tx, profileRow(userId, changed));
    return field === 'displayname' || field === 'avatar_url' ? [profileChanged(changed)] : [];
  });
}

async function checkActive(account: ReturnType<typeof lockAccount>): Promise<void> {
  if ((await account)?.is_deactivated !== 0) throw new MatrixError('M_NOT_FOUND', 'No such user');
}

function profileChanged({ displayname, avatar_url }: JsonObject): UserChange {
  return {
    kind: 'ProfileChanged',
    ...(typeof displayname === 'string' && { displayname }),
    ...(typeof avatar_url === 'string' && { avatarUrl: avatar_url }),
  };
}
