// A bounded cache over the database that never keeps what was read before a change of it was committed.

import { LRUCache } from 'lru-cache';
import { entries } from '../lru-entries.ts';

export class ReadThroughCache<K extends string, V extends object> {
  readonly #load: (key: K) => Promise<V | undefined>;
  readonly #values: LRUCache<K, V>;
  /** Reads under way. `forget` takes a key out, which keeps its read from being stored. */
  readonly #reads = new Map<K, Promise<V | undefined>>();

  constructor(max: number, load: (key: K) => Promise<V | undefined>) {
    this.#values = new LRUCache(entries(max));
    this.#load = load;
  }

  /** What is in memory, at once. */
  peek(key: K): V | undefined {
    return this.#values.get(key);
  }

  /** Reads that run at the same time are shared; what is not there is not remembered. */
  get(key: K): Promise<V | undefined> {
    const value = this.#values.get(key);
    if (value !== undefined) return Promise.resolve(value);
    const running = this.#reads.get(key);
    if (running !== undefined) return running;
    const read: Promise<V | undefined> = this.#load(key).then(
      (loaded) => {
        if (this.#finish(key, read) && loaded !== undefined) this.#values.set(key, loaded);
        return loaded;
      },
      (error) => {
        this.#finish(key, read);
        throw error;
      },
    );
    this.#reads.set(key, read);
    return read;
  }

  /** Call it after COMMIT of the change. */
  forget(key: K): void {
    this.#values.delete(key);
    this.#reads.delete(key);
  }

  /** Whether the read is still the newest of its key. */
  #finish(key: K, read: Promise<V | undefined>): boolean {
    return this.#reads.get(key) === read && this.#reads.delete(key);
  }
}
