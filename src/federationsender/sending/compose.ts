// The next transaction for a destination.

import type { JsonObject } from '../../protocol/json.ts';
import { queueMissedChanges } from '../store/changes.ts';
import { type Destination, updateCaughtUp } from '../store/destinations.ts';
import { type ExpiredPeek, selectExpiredPeeks } from '../store/expired-peeks.ts';
import { queueMissed } from '../store/missed.ts';
import { selectQueue } from '../store/queue.ts';
import { selectToDevice } from '../store/to-device.ts';
import { insertTransaction, type Outgoing, selectTransaction } from '../store/transactions.ts';
import type { SendingContext } from './context.ts';

/** Server-Server API, "Transactions". */
const MAX_PDUS = 50;
const MAX_EDUS = 100;
const MAX_EXPIRED_PEEKS = 100;
/** Of messages to devices, each as large as a request of a client. Servers take some 10 MB, and 50 events may be 3 MB of them. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

/** The one that has not been answered yet, else a new one, stored unless it is all of what may be lost. */
export async function nextTransaction(
  context: SendingContext,
  destination: Destination,
): Promise<Outgoing | undefined> {
  const { database } = context;
  const stored = await selectTransaction(database, destination.id);
  if (stored !== undefined) return stored;
  const outgoing = await compose(context, destination);
  if (outgoing !== undefined && isDurable(outgoing)) {
    await database.transact((tx) => insertTransaction(tx, destination.id, outgoing));
  }
  return outgoing;
}

export function isDurable({ parts }: Outgoing): boolean {
  return parts.pdus.length + parts.toDevice.length + parts.expiredPeeks.length > 0;
}

async function compose(
  context: SendingContext,
  destination: Destination,
): Promise<Outgoing | undefined> {
  const pdus = await nextPdus(context, destination);
  const bounds = { count: MAX_EDUS, characters: MAX_CHARACTERS };
  const messages = await selectToDevice(context.database, destination.id, bounds);
  const passing = context.outbox.take(destination.id, MAX_EDUS - messages.length);
  const expiredPeeks = await nextExpiredPeeks(context, destination, pdus.length);
  if (pdus.length + messages.length + passing.length + expiredPeeks.length === 0) return undefined;
  const edus: JsonObject[] = messages.map(({ edu }) => edu);
  for (const { type, content } of passing) edus.push({ edu_type: type, content });
  return {
    txnId: context.nextTxnId(),
    originServerTs: context.clock.now(),
    parts: { pdus, toDevice: messages.map(({ position }) => position), expiredPeeks },
    edus,
    refusals: 0,
  };
}

/** With the last of what is queued: the event that ends a peek comes before its end. */
async function nextExpiredPeeks(
  { database }: SendingContext,
  { id, catchingUp }: Destination,
  pdus: number,
): Promise<ExpiredPeek[]> {
  if (catchingUp || pdus === MAX_PDUS) return [];
  return selectExpiredPeeks(database, id, MAX_EXPIRED_PEEKS);
}

async function nextPdus(
  { database }: SendingContext,
  { id, catchingUp }: Destination,
): Promise<number[]> {
  const queued = await selectQueue(database, id, MAX_PDUS);
  if (queued.length > 0 || !catchingUp) return queued;
  await database.transact(async (tx) => {
    const isAll = await queueMissed(tx, id, MAX_PDUS);
    if (!isAll) return;
    await queueMissedChanges(tx, id);
    await updateCaughtUp(tx, id);
  });
  return selectQueue(database, id, MAX_PDUS);
}
