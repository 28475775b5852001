// The end of peeks by time. Where a peek ended is stored before it is told: then the same token gets the same answer
// again, and what renews the peek meanwhile comes either before the end or begins a new one.

import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { type Peek, selectPeek, updatePeekExpired } from '../store/peeks.ts';
import { selectPositionAt } from '../store/timeline.ts';
import { isOverdue } from './peek-state.ts';

/** Those of the device that are to be ended before anything is told of them. */
export function overduePeeks(
  { clock }: Pick<SyncserverContext, 'clock'>,
  { deviceId }: Viewer,
  user: LiveUser,
): readonly Peek[] {
  const now = clock.now();
  return user.device(deviceId).peeks.filter((peek) => peek.via === 'sync' && isOverdue(peek, now));
}

export async function expirePeeks(
  context: SyncserverContext,
  peeks: readonly Peek[],
): Promise<void> {
  const now = context.clock.now();
  for (const peek of peeks) await expire(context, peek, now);
}

async function expire(context: SyncserverContext, peek: Peek, now: number): Promise<void> {
  const { database, live } = context;
  const position = await lastPosition(context, peek);
  await database.transact(async (tx) => {
    await updatePeekExpired(tx, peek, { position, now });
    const stored = await selectPeek(tx, peek);
    tx.afterCommit(() => {
      live.change(peek.userId, (user) => {
        if (stored === undefined) user.removePeek(peek);
        else user.putPeek(stored);
      });
    });
  });
}

/** Of what happened while it lasted. */
async function lastPosition(
  { database, positions }: SyncserverContext,
  { roomId, startedPosition, expiryTs }: Peek,
): Promise<number> {
  const upTo = positions.rooms;
  const range = { roomId, after: startedPosition, ts: expiryTs };
  return (await selectPositionAt(database, range)) ?? upTo;
}
