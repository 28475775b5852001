// Batches whose COMMIT may have succeeded although its answer was lost. Their rows are there or not, as the stored
// position tells afterwards; what they were to change in memory is kept until then.

import { DatabaseError, type Transaction } from '../database/database.ts';

type Effect = () => void;

export class UncertainBatches {
  /** By the position to which the batch moves. */
  readonly #effects = new Map<number, readonly Effect[]>();

  /**
   * Runs `unit`, which may be run again and takes the transaction by way of `recording`; keeps what it registers
   * to be run after COMMIT where that fails without our knowing whether it did.
   */
  async watch(to: number, unit: (record: Recorder) => Promise<void>): Promise<void> {
    let effects: Effect[] = [];
    try {
      await unit((tx) => {
        effects = [];
        return recording(tx, effects);
      });
    } catch (error) {
      const isUncertain = error instanceof DatabaseError && error.kind === 'unavailable';
      if (isUncertain) this.#effects.set(to, effects);
      throw error;
    }
    this.#effects.clear();
  }

  /** The stored position, read anew, is this: what moved it there has its effects now. */
  resolve(position: number): void {
    const effects = this.#effects.get(position);
    if (effects === undefined) return;
    this.#effects.clear();
    for (const effect of effects) effect();
  }
}

/** To be called at the begin of a transaction. */
export type Recorder = (tx: Transaction) => Transaction;

function recording(tx: Transaction, effects: Effect[]): Transaction {
  tx.afterCommit(() => {
    for (const effect of effects) effect();
  });
  return {
    all: (query) => tx.all(query),
    get: (query) => tx.get(query),
    run: (query) => tx.run(query),
    afterCommit: (effect) => void effects.push(effect),
    afterRollback: (effect) => tx.afterRollback(effect),
  };
}
