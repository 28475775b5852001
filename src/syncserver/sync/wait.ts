// Waiting for something to change.

import type { Clock } from '../../clock.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { DeviceId } from '../../protocol/identifiers.ts';
import type { LiveUser } from '../live/live-user.ts';

export interface Wait {
  readonly user: LiveUser;
  /** That waits. */
  readonly deviceId: DeviceId;
  /** The user's version before it was found that there is nothing to tell: a change since then ends the wait at once. */
  readonly version: number;
  readonly clock: Clock;
  /** ms since the epoch. */
  readonly until: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Resolves when the user is woken, time is over, or the signal aborts, whichever comes first. Throws M_UNKNOWN_TOKEN where
 * the device is removed meanwhile: what comes then is not for who had its token.
 */
export async function waitForChange(wait: Wait): Promise<void> {
  const { user, deviceId } = wait;
  const before = user.removalsOf(deviceId);
  await untilChange(wait);
  if (user.removalsOf(deviceId) === before) return;
  throw new MatrixError('M_UNKNOWN_TOKEN', 'The device has been signed out');
}

function untilChange({ user, version, clock, until, signal }: Wait): Promise<void> {
  return new Promise((resolve) => {
    if (user.version !== version || signal?.aborted === true) return resolve();
    const end = () => {
      forget();
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const forget = user.onChange(end);
    const cancel = clock.schedule(Math.max(until - clock.now(), 0), end);
    signal?.addEventListener('abort', end);
  });
}
