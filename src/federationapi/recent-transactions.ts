// Transactions that have been answered lately, or are being: a server repeats one until it gets its answer.

import { LRUCache } from 'lru-cache';
import { entries } from '../lru-entries.ts';
import type { ServerName } from '../protocol/identifiers.ts';

/** In memory: the PDUs and to-device messages of one that is repeated across a restart are told by their own ids. */
const MAX_TRANSACTIONS = 5_000;

export class RecentTransactions {
  readonly #answers = new LRUCache<string, Promise<object>>(entries(MAX_TRANSACTIONS));

  /** Runs `receive` unless it has run, or is running, for this transaction. A failed one may be tried again. */
  async once(
    origin: ServerName,
    transactionId: string,
    receive: () => Promise<object>,
  ): Promise<object> {
    const key = `${origin} ${transactionId}`;
    const given = this.#answers.get(key);
    if (given !== undefined) return given;
    const answer = receive();
    this.#answers.set(key, answer);
    try {
      return await answer;
    } catch (error) {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
      throw error;
    }
  }
}
