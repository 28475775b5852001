// How many keys each device has left, which every /sync tells.

import type { Database, Transaction } from '../../database/database.ts';
import { ReadThroughCache } from '../read-through-cache.ts';
import {
  type OwnerOfKeys,
  selectOneTimeKeyCounts,
  selectUnusedFallbackAlgorithms,
} from '../store/one-time-keys.ts';
import type { KeyCounts } from './keys-api.ts';

const MAX_REMEMBERED = 10_000;
/** Some clients take an algorithm that is not listed for one of which nothing is known. */
const ALWAYS_COUNTED = 'signed_curve25519';

export class KeyCountCache {
  readonly #counts: ReadThroughCache<string, KeyCounts>;

  constructor(database: Database) {
    this.#counts = new ReadThroughCache<string, KeyCounts>(MAX_REMEMBERED, async (id) => {
      const [userId, deviceId] = JSON.parse(id);
      const owner: OwnerOfKeys = { userId, deviceId };
      const found = await selectOneTimeKeyCounts(database, owner);
      const counts = found.map(({ algorithm, count }) => [algorithm, count]);
      return {
        oneTimeKeys: { [ALWAYS_COUNTED]: 0, ...Object.fromEntries(counts) },
        unusedFallbackKeys: await selectUnusedFallbackAlgorithms(database, owner),
      };
    });
  }

  async get(owner: OwnerOfKeys): Promise<KeyCounts> {
    return (await this.#counts.get(idOf(owner))) as KeyCounts;
  }

  /** Also when the unit fails: it may have been committed all the same. */
  forgetAfterCommit(tx: Transaction, owner: OwnerOfKeys): void {
    const forget = () => this.#counts.forget(idOf(owner));
    tx.afterCommit(forget);
    tx.afterRollback(forget);
  }
}

function idOf({ userId, deviceId }: OwnerOfKeys): string {
  return JSON.stringify([userId, deviceId]);
}
