// Caps on how much is looked into at once: peeks cost the server, whoever forgets them.

import { MatrixError } from '../../protocol/error.ts';
import type { SyncserverContext } from '../context.ts';
import {
  type Peek,
  type PeekKey,
  selectActivePeeksOfUser,
  selectRoomLoad,
} from '../store/peeks.ts';
import { idOf, RESERVATION_MS } from './peek-reservations.ts';

type Needs = Pick<SyncserverContext, 'database' | 'clock' | 'config' | 'reservations'>;

/** Throws M_LIMIT_EXCEEDED with `retry_after_ms`. Renewing is always allowed. */
export async function checkPeekLimits(context: Needs, key: PeekKey): Promise<void> {
  const { database, clock, config, reservations } = context;
  // Before the reads: what is consumed while they run is counted by one or the other.
  const reserved = reservations.reserve(key);
  try {
    const now = clock.now();
    const active = await selectActivePeeksOfUser(database, key.userId, now);
    if (active.some((peek) => idOf(peek) === idOf(key))) return;
    const ofUser = new Set([...active, ...reserved.filter(isOfUser(key))].map(idOf));
    if (ofUser.size >= config.peeking.maxPerUser) {
      throw tooMany('You look into too many rooms', firstExpiry(active), now);
    }
    const room = await selectRoomLoad(database, key.roomId, now);
    const ofRoom = room.count + reserved.filter((other) => other.roomId === key.roomId).length;
    if (ofRoom >= config.peeking.maxPerRoom) {
      throw tooMany('Too many look into this room', room.firstExpiryTs, now);
    }
  } catch (error) {
    reservations.release(key);
    throw error;
  }
}

function isOfUser({ userId }: PeekKey): (other: PeekKey) => boolean {
  return (other) => other.userId === userId;
}

function firstExpiry(peeks: readonly Peek[]): number | null {
  return peeks.length === 0 ? null : Math.min(...peeks.map((peek) => peek.expiryTs));
}

function tooMany(message: string, nextExpiryTs: number | null, now: number): MatrixError {
  const wait = nextExpiryTs === null ? RESERVATION_MS : Math.max(nextExpiryTs - now, 1);
  return new MatrixError('M_LIMIT_EXCEEDED', message, { retry_after_ms: wait });
}
