// When something that was in vain may be tried again: later each time, so that nobody can make us ask without end.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { entries } from '../../lru-entries.ts';

export interface RetryDelaysOptions {
  readonly clock: Clock;
  /** ms; doubled with each further failure. */
  readonly first: number;
  readonly longest: number;
}

const MAX_ENTRIES = 20_000;

export class RetryDelays {
  readonly #options: RetryDelaysOptions;
  readonly #entries = new LRUCache<string, { readonly failures: number; readonly until: number }>({
    ...entries(MAX_ENTRIES),
  });

  constructor(options: RetryDelaysOptions) {
    this.#options = options;
  }

  mayTry(what: string): boolean {
    return this.#options.clock.now() >= (this.#entries.get(what)?.until ?? 0);
  }

  /** `free`: so many failures are followed by another attempt at once. */
  failed(what: string, free = 0): void {
    const { clock, first, longest } = this.#options;
    const failures = this.#entries.get(what)?.failures ?? 0;
    const delay = failures < free ? 0 : Math.min(first * 2 ** (failures - free), longest);
    this.#entries.set(what, { failures: failures + 1, until: clock.now() + delay });
  }

  succeeded(what: string): void {
    this.#entries.delete(what);
  }
}
