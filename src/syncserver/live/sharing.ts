// Users who share a room, and what they know of each other: presence.

import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Live } from './live.ts';
import { type PresenceTracker, presenceContent } from './presence-tracker.ts';

export async function sharesRoom(
  live: Live,
  userId: UserId,
  otherUserId: UserId,
): Promise<boolean> {
  if (userId === otherUserId) return true;
  const [user, other] = await Promise.all([live.user(userId), live.user(otherUserId)]);
  return [...user.rooms.keys()].some((roomId) => user.isJoined(roomId) && other.isJoined(roomId));
}

export async function querySharesRoom(
  { live }: { readonly live: Live },
  { userId, otherUserId }: { readonly userId: UserId; readonly otherUserId: UserId },
): Promise<{ shares: boolean }> {
  return { shares: await sharesRoom(live, userId, otherUserId) };
}

export async function queryPresence(
  { presence, clock }: { readonly presence: PresenceTracker; readonly clock: Clock },
  { userId }: { readonly userId: UserId },
): Promise<JsonObject | undefined> {
  const known = presence.get(userId);
  return known && presenceContent(known, clock.now());
}

/** Wakes those who wait and share a room with the user. */
export function wakeNeighbours(
  { live, logger }: { readonly live: Live; readonly logger: Logger },
  userId: UserId,
): void {
  live.user(userId).then(
    (user) => {
      user.wake();
      for (const room of user.rooms.values()) {
        for (const watcher of room.watchers) if (watcher !== user) watcher.wake();
      }
    },
    (error) => logger.warn({ err: error, userId }, 'presence could not be passed on'),
  );
}
