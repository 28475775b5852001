// Those who wait until a consumer has committed a position.

import type { Clock } from '../clock.ts';

interface Waiter {
  readonly position: number;
  readonly settle: (reached: boolean) => void;
}

export class PositionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(position: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (reached: boolean) => {
        cancel();
        this.#waiters.delete(waiter);
        resolve(reached);
      };
      const waiter = { position, settle };
      const cancel = this.#clock.schedule(timeoutMs, () => settle(false));
      this.#waiters.add(waiter);
    });
  }

  /** Tells those up to `position`: true, but false to those whose own entry was `parked`. */
  advance(position: number, parked: ReadonlySet<number>): void {
    for (const waiter of this.#waiters) {
      if (waiter.position <= position) waiter.settle(!parked.has(waiter.position));
    }
  }

  close(): void {
    for (const waiter of this.#waiters) waiter.settle(false);
  }
}
