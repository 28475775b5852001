// One thing at a time per key: what waits for the network cannot hold the room's own lock.

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when everything that came before under the key has ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const own = (async () => {
      // How others fared is theirs to know.
      await before?.catch(() => undefined);
      return work();
    })();
    this.#last.set(key, own);
    try {
      return await own;
    } finally {
      if (this.#last.get(key) === own) this.#last.delete(key);
    }
  }

  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  /** Resolves when what has been begun under the key by now has ended. */
  async idle(key: string): Promise<void> {
    await this.#last.get(key)?.catch(() => undefined);
  }
}
