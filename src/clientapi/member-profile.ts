// What member events say of a user besides the membership (Client-Server API, "Events on Change of
// Profile Information").

import type { UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { UserserverApi } from '../userserver/api.ts';

interface Profiles {
  readonly userserver: Pick<UserserverApi, 'queryProfile' | 'queryProfiles'>;
}

/** `displayname` and `avatar_url` as far as they are set; nothing for users of other servers. */
export async function memberProfile({ userserver }: Profiles, userId: UserId): Promise<JsonObject> {
  return memberFields(await userserver.queryProfile({ userId }));
}

export async function memberProfiles(
  { userserver }: Profiles,
  userIds: readonly UserId[],
): Promise<Readonly<Record<UserId, JsonObject>>> {
  const profiles = await userserver.queryProfiles({ userIds });
  const entries = Object.entries(profiles).map(([id, profile]) => [id, memberFields(profile)]);
  return Object.fromEntries(entries);
}

function memberFields(profile: JsonObject | undefined): JsonObject {
  const { displayname, avatar_url } = profile ?? {};
  return {
    ...(typeof displayname === 'string' && { displayname }),
    ...(typeof avatar_url === 'string' && { avatar_url }),
  };
}
