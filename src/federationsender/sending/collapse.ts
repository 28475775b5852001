// Of a destination that is away for long, the queue gives way to the names of the rooms of which it misses events, little by
// little: others write between. It is told of first, so that wherever this ends nothing is lost: what is still queued is sent
// before what was missed.

import type { Database, Transaction } from '../../database/database.ts';
import { selectIsRetried, updateCatchingUp } from '../store/destinations.ts';
import { collapseQueue } from '../store/missed.ts';
import { deleteOldChanges } from '../store/to-device.ts';
import { selectTransaction } from '../store/transactions.ts';

/** Events, in one unit of work. */
const COLLAPSED_AT_ONCE = 100;

/** One destination after another: hundreds may fail at the same time. */
export class Collapses {
  readonly #database: Database;
  #last: Promise<void> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  run(destinationId: number): Promise<void> {
    const run = this.#last.then(() => collapse(this.#database, destinationId));
    this.#last = run.catch(() => undefined);
    return run;
  }
}

/** From now on only the rooms are kept of which it misses events, and the last change of each user's devices. */
export async function collapse(database: Database, destinationId: number): Promise<void> {
  for (;;) {
    const isDone = await database.transact((tx) => collapseSome(tx, destinationId));
    if (isDone) return;
  }
}

async function collapseSome(tx: Transaction, id: number): Promise<boolean> {
  // One that has come to rest meanwhile would have nobody who makes it catch up, and one that lives gets what is queued.
  if (!(await selectIsRetried(tx, id))) return true;
  await updateCatchingUp(tx, id);
  // What stands in the transaction under way, which is the first of what is queued, stays.
  const underWay = await selectTransaction(tx, id);
  const after = Math.max(0, ...(underWay?.parts.pdus ?? []));
  const isDone = await collapseQueue(tx, id, { after, limit: COLLAPSED_AT_ONCE });
  if (isDone) await deleteOldChanges(tx, id);
  return isDone;
}
