// Whether a device looks into a room.

import type { SyncserverContext } from '../context.ts';
import { type PeekKey, selectActivePeeksOfUser } from '../store/peeks.ts';
import { idOf } from './peek-reservations.ts';

export async function queryPeek(
  { database, clock }: Pick<SyncserverContext, 'database' | 'clock'>,
  key: PeekKey,
): Promise<{ active: boolean; expiryTs?: number }> {
  const active = await selectActivePeeksOfUser(database, key.userId, clock.now());
  const peek = active.find((other) => idOf(other) === idOf(key));
  return peek === undefined ? { active: false } : { active: true, expiryTs: peek.expiryTs };
}
