// How many units run at once, and what happens to those that must be run again: they keep their place and take turns,
// and nobody new is let in until they are through. So each meets but the few that were running, and succeeds.

export class UnitGate {
  #free: number;
  #repeating = 0;
  #lastRepeat: Promise<unknown> = Promise.resolve();
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  /** Runs `action` with one of the places. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0 && this.#repeating === 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      this.#free += 1;
      this.#admit();
    }
  }

  /** Within `run`: waits for its turn among those that are repeated. */
  async repeat<T>(action: () => Promise<T>): Promise<T> {
    this.#repeating += 1;
    try {
      const mine = this.#lastRepeat.then(action);
      this.#lastRepeat = mine.catch(() => undefined);
      return await mine;
    } finally {
      this.#repeating -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#free > 0 && this.#repeating === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#free -= 1;
      next();
    }
  }
}
