// The end of peeks by time. Where a peek ended is stored before it is told: then the same token gets the same answer
// again, and what renews the peek meanwhile comes either before the end or begins a new one.

import type { SyncserverContext } from '../context.ts';
import { deleteOverduePeek, type Peek, selectPeek, updatePeekExpired } from '../store/peeks.ts';
import { selectPositionAt } from '../store/timeline.ts';

/** `peeks`: overdue ones. What is known of their devices has changed when this resolves. */
export async function expirePeeks(
  context: SyncserverContext,
  peeks: readonly Peek[],
): Promise<void> {
  const now = context.clock.now();
  for (const peek of peeks) await expire(context, peek, now);
}

async function expire(context: SyncserverContext, peek: Peek, now: number): Promise<void> {
  const { database, live } = context;
  const position = peek.via === 'sync' ? await lastPosition(context, peek) : 0;
  await database.transact(async (tx) => {
    if (peek.via === 'sync') await updatePeekExpired(tx, peek, { position, now });
    else await deleteOverduePeek(tx, peek, now);
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
