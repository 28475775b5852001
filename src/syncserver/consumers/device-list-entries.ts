// Entries of `userserver.output` that change what is to be known of somebody's devices or cross-signing keys.

import type { UserEntry } from '../../eventlog/entries.ts';
import { serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { wakeNeighbours, wakeNeighboursOfRemote } from '../live/sharing.ts';
import { wakeAll } from '../live/wake.ts';
import type { DeviceListChange } from '../store/device-lists.ts';

export function deviceListChangesOf(
  userId: UserId,
  entry: UserEntry,
  position: number,
): DeviceListChange[] {
  switch (entry.kind) {
    case 'DeviceListChanged':
    case 'SigningKeysChanged':
    case 'RemoteDeviceListChanged':
      return [{ userId, seenBy: '', position }];
    case 'KeysChangedForOne':
      return entry.userIds.map((changed) => ({ userId: changed, seenBy: userId, position }));
    default:
      return [];
  }
}

type Needs = Pick<SyncserverContext, 'live' | 'logger' | 'database' | 'serverName'>;

/** Wakes those who are to be told. What they are told is found when they ask; here nothing can be missed. */
export function wakeForDeviceLists(context: Needs, changes: readonly DeviceListChange[]): void {
  wakeAll(changes.map(({ seenBy }) => context.live.cachedUser(seenBy as UserId)));
  const users = new Set(changes.filter(({ seenBy }) => seenBy === '').map((one) => one.userId));
  for (const userId of users) {
    if (serverNameOf(userId) === context.serverName) wakeNeighbours(context, userId, NO_LIMITS);
    else wakeNeighboursOfRemote(context, userId, NO_LIMITS);
  }
}

const NO_LIMITS = { maxWatchers: Number.POSITIVE_INFINITY, maxWoken: Number.POSITIVE_INFINITY };
