// Transactions of devices around the room queue: the recent ones in memory, and what happens when one comes twice.

import { LRUCache } from 'lru-cache';
import { entries } from '../../lru-entries.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { TransactionKey } from '../api.ts';
import type { SentTransaction } from '../store/transactions.ts';

const MAX_RECENT = 10_000;

/** Thrown while writing when a transaction is stored already: the work has to be done again, with lookups. */
export class RepeatedTransaction extends Error {
  constructor() {
    super('a transaction of this batch has been sent before');
    this.name = 'RepeatedTransaction';
  }
}

/** Clients repeat soon what they repeat at all. */
export class RecentTransactions {
  readonly #events = new LRUCache<string, EventId>(entries(MAX_RECENT));

  get(key: TransactionKey): EventId | undefined {
    return this.#events.get(textOf(key));
  }

  /** After COMMIT. */
  remember({ key, eventId }: SentTransaction): void {
    this.#events.set(textOf(key), eventId);
  }
}

function textOf({ userId, deviceId, scope, id }: TransactionKey): string {
  return `${id}\0${deviceId}\0${userId}\0${scope}`;
}
