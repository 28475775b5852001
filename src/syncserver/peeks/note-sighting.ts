// A device that syncs, or polls /events, goes on looking into the rooms of its peeks.

import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { isActive } from './peek-state.ts';

export function noteSighting(
  { interest, clock }: Pick<SyncserverContext, 'interest' | 'clock'>,
  { userId, deviceId }: Viewer,
  user: LiveUser,
): void {
  const { peeks } = user.device(deviceId);
  if (peeks.length === 0) return;
  const now = clock.now();
  interest.deviceSeen(
    userId,
    deviceId,
    peeks.filter((peek) => isActive(peek, now)),
  );
}
