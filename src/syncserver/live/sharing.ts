// Users who share a room, and what they know of each other: presence, and changed devices.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import { type ServerName, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { selectSharers } from '../store/memberships.ts';
import { selectRemoteSharers, selectRoomsOfRemoteUser } from '../store/remote-members.ts';
import type { Live } from './live.ts';
import type { LiveRoom } from './live-room.ts';
import type { LiveUser } from './live-user.ts';
import { type PresenceTracker, presenceContent } from './presence-tracker.ts';
import { wakeAll } from './wake.ts';

interface Needs {
  readonly live: Live;
  readonly database: Database;
  readonly serverName: ServerName;
}

/** Those of the others, here and elsewhere, who are in a room with the user now, and she herself. */
export async function sharersAmong(
  { live, database, serverName }: Needs,
  user: LiveUser,
  others: readonly UserId[],
): Promise<Set<UserId>> {
  const sharers = new Set<UserId>();
  const unknown: UserId[] = [];
  const remote: UserId[] = [];
  for (const userId of others) {
    if (serverNameOf(userId) !== serverName) {
      remote.push(userId);
      continue;
    }
    const other = userId === user.userId ? user : live.cachedUser(userId);
    if (other === undefined) unknown.push(userId);
    else if (other === user || share(user, other)) sharers.add(userId);
  }
  if (unknown.length > 0) {
    for (const userId of await selectSharers(database, user.userId, unknown)) sharers.add(userId);
  }
  if (remote.length > 0) {
    for (const userId of await selectRemoteSharers(database, user.userId, remote)) {
      sharers.add(userId);
    }
  }
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
const FEW = { maxWatchers: 200, maxWoken: 1_000 };

/** Wakes those who wait and share a room with the user. */
export function wakeNeighbours(
  { live, logger }: { readonly live: Live; readonly logger: Logger },
  userId: UserId,
  limits = FEW,
): void {
  live.user(userId).then(
    (user) => {
      wakeAll(neighboursToWake(user, limits));
    },
    (error) => logger.warn({ err: error, userId }, 'what concerns a user could not be passed on'),
  );
}

/** Likewise, with a user of another server. */
export function wakeNeighboursOfRemote(
  { live, logger, database }: Pick<Needs, 'live' | 'database'> & { readonly logger: Logger },
  userId: UserId,
  limits = FEW,
): void {
  selectRoomsOfRemoteUser(database, userId).then(
    (roomIds) => {
      const rooms = roomIds.map((roomId) => live.room(roomId)).filter((room) => room !== undefined);
      wakeAll(watchersOf(rooms, limits));
    },
    (error) => logger.warn({ err: error, userId }, 'what concerns a user could not be passed on'),
  );
}

function neighboursToWake(user: LiveUser, limits: typeof FEW): ReadonlySet<LiveUser> {
  return watchersOf(user.rooms.values(), limits).add(user);
}

function watchersOf(
  rooms: Iterable<Pick<LiveRoom, 'watchers'>>,
  { maxWatchers, maxWoken }: typeof FEW,
): Set<LiveUser> {
  const found = new Set<LiveUser>();
  for (const { watchers } of rooms) {
    if (found.size >= maxWoken) break;
    if (watchers.size > maxWatchers) continue;
    for (const watcher of watchers) found.add(watcher);
  }
  return found;
}
