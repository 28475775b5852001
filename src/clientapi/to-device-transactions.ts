// Retransmissions of to-device messages, found by their transaction id.

import { LRUCache } from 'lru-cache';
import { entries } from '../lru-entries.ts';

/**
 * What a device has sent lately. In memory: a retransmission across a restart is delivered twice, which
 * receivers of to-device messages have to expect of federation too.
 */
export class ToDeviceTransactions {
  readonly #answers = new LRUCache<string, Promise<void>>(entries(10_000));

  /** Runs `send` unless it has run, or is running, for this key. A failed one may be tried again. */
  async once(key: readonly string[], send: () => Promise<void>): Promise<void> {
    const id = JSON.stringify(key);
    const sent = this.#answers.get(id);
    if (sent !== undefined) return await sent;
    const sending = send();
    this.#answers.set(id, sending);
    try {
      await sending;
    } catch (error) {
      this.#answers.delete(id);
      throw error;
    }
  }
}
