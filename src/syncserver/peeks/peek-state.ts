// What a peek is to its device, as of a sync token.

import type { Peek } from '../store/peeks.ts';
import type { SyncToken } from '../tokens.ts';

/** `time` 0: not of /sync, which has told nothing of peeks then. */
type Moment = Pick<SyncToken, 'rooms' | 'time'>;

/** Whether the device looks into the room now. */
export function isActive(peek: Peek, now: number): boolean {
  return peek.endedPosition === undefined && peek.expiryTs > now;
}

/** Its time is over: where it ended is still to be decided, or, of one by /events, there is nothing more to tell. */
export function isOverdue({ via, endedPosition, expiryTs }: Peek, now: number): boolean {
  return expiryTs <= now && (via === 'events' || endedPosition === undefined);
}

/** Whether the peek had begun, and not ended, when the token was made: the device that comes with it was sent the state. */
export function wasActiveAt(peek: Peek, token: Moment): boolean {
  return token.time > 0 && peek.startedPosition <= token.rooms && !hadEndedAt(peek, token);
}

/** An expiry has no place of its own in the log: there may be tokens from before it with the same position. */
export function hadEndedAt({ endedPosition, expiryTs, ending }: Peek, token: Moment): boolean {
  if (token.time === 0 || endedPosition === undefined) return false;
  return endedPosition <= token.rooms && (ending !== 'expiry' || expiryTs <= token.time);
}
