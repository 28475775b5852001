// What follows from an attempt that failed: it is written down when the next one is, and what is not worth keeping goes.

import type { Transaction } from '../../database/database.ts';
import { FederationError } from '../../federation/federation-error.ts';
import type { Destination } from '../store/destinations.ts';
import { deleteExpiredPeeks } from '../store/expired-peeks.ts';
import { countQueue, deleteQueue } from '../store/queue.ts';
import { deleteToDevice } from '../store/to-device.ts';
import { deleteTransaction, type Outgoing, updateRefusals } from '../store/transactions.ts';
import { backoff } from './backoff.ts';
import { isDurable } from './compose.ts';
import type { SendingContext } from './context.ts';

/**
 * A destination that fails for longer, ms, has more events queued, or has never answered, gets the latest event of each room
 * when it is there: who joins a large room meets hundreds that have long been dead.
 */
export const PATIENCE_MS = 3_600_000;
export const MAX_BACKLOG = 100;

/** So often a destination that answers may refuse the same content: what it cannot take must not stop all the rest. */
const MAX_REFUSALS = 5;
const REFUSED_CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

/** Returns when the next attempt is due, ms since the epoch. */
export async function recordFailure(
  context: SendingContext,
  destination: Destination,
  { outgoing, error }: { readonly outgoing: Outgoing; readonly error: unknown },
): Promise<number> {
  const { failures, clock, random } = context;
  const { id } = destination;
  const failedAt = clock.now();
  const failingSince = destination.failingSince || failedAt;
  const failure = error instanceof FederationError ? error : undefined;
  const { interval, delay } = backoff({
    lastInterval: destination.retryInterval,
    retryAfterMs: failure?.retryAfterMs,
    isFinal: failure?.kind === 'denied',
    random,
  });
  const retryAt = failedAt + delay;
  const isRefused = isDurable(outgoing) && REFUSED_CONTENT.has(failure?.status ?? 0);
  await failures.write(
    { id, failingSince, failedAt, retryAt, retryInterval: interval },
    isRefused ? (tx) => refuse(context, tx, { destination, outgoing }) : undefined,
  );
  const isLong = !destination.answered || failedAt - failingSince >= PATIENCE_MS;
  await tidy(context, destination, isLong ? outgoing : undefined);
  context.outbox.drop(id);
  return retryAt;
}

/** `kept`: all that is to stay queued, of one that has been failing for long. */
async function tidy(
  { database, collapses, logger }: SendingContext,
  { id, server, answered, catchingUp }: Destination,
  kept: Outgoing | undefined,
): Promise<void> {
  const backlog = kept?.parts.pdus.length ?? MAX_BACKLOG;
  const isNew = kept !== undefined && answered && !catchingUp;
  try {
    const isTooMuch = isNew || (await countQueue(database, id, backlog + 1)) > backlog;
    if (isTooMuch) await collapses.run(id);
  } catch (error) {
    logger.warn({ server, err: error }, 'what is queued stays until the next failure');
  }
}

async function refuse(
  { logger }: SendingContext,
  tx: Transaction,
  { destination, outgoing }: { readonly destination: Destination; readonly outgoing: Outgoing },
): Promise<void> {
  const { id, server } = destination;
  const refusals = outgoing.refusals + 1;
  if (refusals < MAX_REFUSALS) return updateRefusals(tx, id, refusals);
  await deleteParts(tx, id, outgoing);
  const { txnId } = outgoing;
  tx.afterCommit(() => logger.warn({ server, txnId, refusals }, 'a transaction was given up'));
}

/** The transaction and what it is made of are done with. */
export async function deleteParts(
  tx: Transaction,
  destinationId: number,
  { parts }: Outgoing,
): Promise<void> {
  await deleteQueue(tx, destinationId, parts.pdus);
  await deleteToDevice(tx, destinationId, parts.toDevice);
  await deleteExpiredPeeks(tx, destinationId, parts.expiredPeeks);
  await deleteTransaction(tx, destinationId);
}
