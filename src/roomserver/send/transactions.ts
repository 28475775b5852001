// Transactions are remembered for a day, and then forgotten in chunks.

import type { RoomserverContext } from '../context.ts';
import { deleteTransactions, transactionIdAt } from '../store/transactions.ts';

const KEPT_MS = 24 * 60 * 60 * 1000;
const SWEEP_EVERY_MS = 60 * 60 * 1000;
const CHUNK = 1_000;

/** Returns how to stop it. */
export function forgetOldTransactions(
  context: Pick<RoomserverContext, 'database' | 'clock' | 'logger'>,
): () => void {
  const { clock, logger } = context;
  let isStopped = false;
  let cancel = clock.schedule(SWEEP_EVERY_MS, tick);
  function tick(): void {
    sweep(context, () => isStopped)
      .catch((error: unknown) => logger.error({ err: error }, 'old transactions were not deleted'))
      .finally(() => {
        if (!isStopped) cancel = clock.schedule(SWEEP_EVERY_MS, tick);
      });
  }
  return () => {
    isStopped = true;
    cancel();
  };
}

async function sweep(
  { database, clock }: Pick<RoomserverContext, 'database' | 'clock'>,
  isStopped: () => boolean,
): Promise<void> {
  const until = transactionIdAt(clock.now() - KEPT_MS);
  let deleted = CHUNK;
  while (deleted === CHUNK && !isStopped()) {
    deleted = await database.transact((tx) => deleteTransactions(tx, until, CHUNK));
  }
}
