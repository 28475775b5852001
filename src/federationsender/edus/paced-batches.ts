// Collects what is told of a room or a user and lets it go at a pace that the number of those who are told allows: each is
// a transaction of its own, so that a receipt in a room of a thousand servers is a thousand of them.

import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';

/** Per destination that was told: so long the next batch waits. */
const PAUSE_PER_DESTINATION_MS = 10;
/** Of rooms or users at once; what comes for others meanwhile is lost. */
const MAX_KEYS = 20_000;
/** In one batch. */
const MAX_VALUES = 1_000;

export interface PacedBatchesOptions<K, V> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly longestPauseMs: number;
  /** Tells what `take` returns; resolves with the number of destinations. */
  readonly flush: (key: K, take: () => readonly V[]) => Promise<number>;
}

interface Batch<V> {
  /** The last one of each name. */
  values: Map<string, V>;
  /** Being told, or pausing after that. */
  isBusy: boolean;
  cancel: () => void;
}

export class PacedBatches<K, V> {
  readonly #options: PacedBatchesOptions<K, V>;
  readonly #batches = new Map<K, Batch<V>>();
  #flushing = 0;
  #closed = false;

  constructor(options: PacedBatchesOptions<K, V>) {
    this.#options = options;
  }

  /** Nobody is being told: what waits, waits for its time. */
  get isIdle(): boolean {
    return this.#flushing === 0;
  }

  /** Replaces what has the same name and was not told yet. */
  add(key: K, name: string, value: V): void {
    const batch = this.#batches.get(key) ?? this.#begin(key);
    if (batch === undefined || this.#closed) return;
    batch.values.delete(name);
    if (batch.values.size < MAX_VALUES) batch.values.set(name, value);
    if (!batch.isBusy) void this.#flush(key, batch);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#batches.values()) cancel();
    this.#batches.clear();
  }

  #begin(key: K): Batch<V> | undefined {
    if (this.#batches.size >= MAX_KEYS) return undefined;
    const batch: Batch<V> = { values: new Map(), isBusy: false, cancel: () => {} };
    this.#batches.set(key, batch);
    return batch;
  }

  async #flush(key: K, batch: Batch<V>): Promise<void> {
    batch.isBusy = true;
    this.#flushing += 1;
    const take = () => {
      const taken = [...batch.values.values()];
      batch.values = new Map();
      return taken;
    };
    let told = 0;
    try {
      told = await this.#options.flush(key, take);
    } catch (error) {
      batch.values.clear();
      this.#options.logger.warn({ key, err: error }, 'other servers are not told');
    }
    this.#flushing -= 1;
    if (this.#closed) return;
    const pause = Math.min(told * PAUSE_PER_DESTINATION_MS, this.#options.longestPauseMs);
    if (pause === 0) this.#go(key, batch);
    else batch.cancel = this.#options.clock.schedule(pause, () => this.#go(key, batch));
  }

  #go(key: K, batch: Batch<V>): void {
    batch.isBusy = false;
    if (batch.values.size === 0) this.#batches.delete(key);
    else void this.#flush(key, batch);
  }
}
