// How much of bodies that are being read, or worked on, is held in memory: of all, and of each address. Small ones do not
// count; of the others each counts in full from the start, however slowly it comes.

import { MatrixError } from '../protocol/error.ts';

export interface BodyBudgetOptions {
  /** Bytes. */
  readonly total: number;
  readonly perAddress: number;
  /** Not counted up to here. */
  readonly free: number;
}

const DEFAULTS: BodyBudgetOptions = {
  total: 64 * 1024 * 1024,
  perAddress: 16 * 1024 * 1024,
  free: 64 * 1024,
};

export class BodyBudget {
  readonly #options: BodyBudgetOptions;
  readonly #addresses = new Map<string, number>();
  #held = 0;

  constructor(options: BodyBudgetOptions = DEFAULTS) {
    this.#options = options;
  }

  /** Returns what gives them back, once; undefined where there is nothing to give back. Throws M_LIMIT_EXCEEDED. */
  reserve(address: string, bytes: number): (() => void) | undefined {
    const { free, total, perAddress } = this.#options;
    if (bytes <= free) return undefined;
    const ofAddress = (this.#addresses.get(address) ?? 0) + bytes;
    if (ofAddress > perAddress || this.#held + bytes > total) {
      const message = 'Too many large requests at the same time';
      throw new MatrixError('M_LIMIT_EXCEEDED', message, { retry_after_ms: 2000 });
    }
    this.#change(address, bytes);
    let isHeld = true;
    return () => {
      if (isHeld) this.#change(address, -bytes);
      isHeld = false;
    };
  }

  #change(address: string, bytes: number): void {
    this.#held += bytes;
    const left = (this.#addresses.get(address) ?? 0) + bytes;
    if (left > 0) this.#addresses.set(address, left);
    else this.#addresses.delete(address);
  }
}
