// What a peek is to its device, as of a sync token.

import type { Peek } from '../store/peeks.ts';
import type { SyncToken } from '../tokens.ts';

type Moment = Pick<SyncToken, 'rooms' | 'time'>;

/** Whether the device looks into the room now. */
export function isActive(peek: Peek, now: number): boolean {
  return peek.endedPosition === undefined && peek.expiryTs > now;
}

/** Whether the peek had begun, and not ended, when the token was made: the device that comes with it was sent the state. */
export function wasActiveAt(peek: Peek, token: Moment): boolean {
  return peek.startedPosition <= token.rooms && !hadEndedAt(peek, token);
}

export function hadEndedAt(peek: Peek, token: Moment): boolean {
  const { endedPosition, expiryTs } = peek;
  return (endedPosition !== undefined && endedPosition <= token.rooms) || expiryTs <= token.time;
}
