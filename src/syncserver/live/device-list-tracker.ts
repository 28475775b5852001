// The newest changes of devices and cross-signing keys, in memory: a device that syncs has rarely missed more.

import type { UserId } from '../../protocol/identifiers.ts';
import type { DeviceListChange } from '../store/device-lists.ts';

const KEPT = 2_000;

export class DeviceListTracker {
  readonly #kept: number;
  /** In order of position. */
  #changes: DeviceListChange[] = [];
  /** What came after this is here. */
  #after: number;

  /** From here on it is told of every change after `after`. */
  constructor(after: number, kept = KEPT) {
    this.#after = after;
    this.#kept = kept;
  }

  /** Position of the newest change that is known of. */
  get latest(): number {
    return this.#changes.at(-1)?.position ?? this.#after;
  }

  add(change: DeviceListChange): void {
    if (change.position <= this.#after) return;
    this.#changes.push(change);
    if (this.#changes.length <= 2 * this.#kept) return;
    this.#after = this.#changes[this.#changes.length - this.#kept - 1]?.position ?? this.#after;
    this.#changes = this.#changes.slice(-this.#kept);
  }

  /** Undefined when some of them are in the database only. */
  changes(range: {
    readonly seenBy: UserId | '';
    readonly after: number;
    readonly upTo: number;
  }): UserId[] | undefined {
    if (range.after < this.#after) return undefined;
    const found = new Set<UserId>();
    for (let index = this.#changes.length - 1; index >= 0; index--) {
      const { userId, seenBy, position } = this.#changes[index] as DeviceListChange;
      if (position <= range.after) break;
      if (position <= range.upTo && seenBy === range.seenBy) found.add(userId);
    }
    return [...found];
  }
}
