// The part of a member event's content that clients may write.

import type { JsonObject } from '../protocol/json.ts';

/** Keys by which the authorization rules decide: only servers write them. */
const SERVERS_OWN = new Set([
  'membership',
  'join_authorised_via_users_server',
  'third_party_invite',
  'third_party_signed',
  'is_direct',
  'servers',
]);

/** `reason` and whatever else the body of /join, /knock … holds beside its own parameters. */
export function memberContentOf(body: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !SERVERS_OWN.has(key)));
}
