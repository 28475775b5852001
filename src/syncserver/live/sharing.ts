// Users who share a room, and what they know of each other: presence.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { selectSharers } from '../store/memberships.ts';
import type { Live } from './live.ts';
import type { LiveUser } from './live-user.ts';
import { type PresenceTracker, presenceContent } from './presence-tracker.ts';
import { wakeAll } from './wake.ts';

interface Needs {
  readonly live: Live;
  readonly database: Database;
}

/** Those of the others who are in a room with the user now, and she herself. */
export async function sharersAmong(
  { live, database }: Needs,
  user: LiveUser,
  others: readonly UserId[],
): Promise<Set<UserId>> {
  const sharers = new Set<UserId>();
  const unknown: UserId[] = [];
  for (const userId of others) {
    const other = userId === user.userId ? user : live.cachedUser(userId);
    if (other === undefined) unknown.push(userId);
    else if (other === user || share(user, other)) sharers.add(userId);
  }
  if (unknown.length === 0) return sharers;
  for (const userId of await selectSharers(database, user.userId, unknown)) sharers.add(userId);
  return sharers;
}

function share(one: LiveUser, other: LiveUser): boolean {
  const [fewer, more] = one.rooms.size <= other.rooms.size ? [one, other] : [other, one];
  for (const roomId of fewer.rooms.keys()) {
    if (fewer.isJoined(roomId) && more.isJoined(roomId)) return true;
  }
  return false;
}

export async function querySharesRoom(
  context: Needs,
  { userId, otherUserId }: { readonly userId: UserId; readonly otherUserId: UserId },
): Promise<{ shares: boolean }> {
  const user = await context.live.user(userId);
  return { shares: (await sharersAmong(context, user, [otherUserId])).has(otherUserId) };
}

export async function queryPresence(
  { presence, clock }: { readonly presence: PresenceTracker; readonly clock: Clock },
  { userId }: { readonly userId: UserId },
): Promise<JsonObject | undefined> {
  const known = presence.get(userId);
  return known && presenceContent(known, clock.now());
}

/** Those who share only larger rooms hear of presence together with what they hear of next. */
const MAX_WATCHERS = 200;
const MAX_WOKEN = 1_000;

/** Wakes those who wait and share a room with the user. */
export function wakeNeighbours(
  { live, logger }: { readonly live: Live; readonly logger: Logger },
  userId: UserId,
): void {
  live.user(userId).then(
    (user) => {
      wakeAll(neighboursToWake(user));
    },
    (error) => logger.warn({ err: error, userId }, 'presence could not be passed on'),
  );
}

function neighboursToWake(user: LiveUser): ReadonlySet<LiveUser> {
  const neighbours = new Set([user]);
  for (const { watchers } of user.rooms.values()) {
    if (neighbours.size >= MAX_WOKEN) break;
    if (watchers.size > MAX_WATCHERS) continue;
    for (const watcher of watchers) neighbours.add(watcher);
  }
  return neighbours;
}
