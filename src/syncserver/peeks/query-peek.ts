// Whether a device looks into a room.

import type { SyncserverContext } from '../context.ts';
import type { PeekKey } from '../store/peeks.ts';
import { isActive } from './peek-state.ts';

export async function queryPeek(
  { live, clock }: Pick<SyncserverContext, 'live' | 'clock'>,
  { userId, deviceId, roomId, via }: PeekKey,
): Promise<{ active: boolean; expiryTs?: number }> {
  const { peeks } = (await live.user(userId)).device(deviceId);
  const ofRoom = peeks.filter((peek) => peek.roomId === roomId && peek.via === via);
  const peek = ofRoom.find((one) => isActive(one, clock.now()));
  return peek === undefined ? { active: false } : { active: true, expiryTs: peek.expiryTs };
}
