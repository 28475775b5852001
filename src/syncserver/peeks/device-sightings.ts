// When each device was last seen: it is looking for a grace period from then on, and while it holds a sync open.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { entries } from '../../lru-entries.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';

const MAX_DEVICES = 100_000;

export class DeviceSightings {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #startedTs: number;
  readonly #lastSeen = new LRUCache<string, number>(entries(MAX_DEVICES));
  /** How many syncs each device holds open. */
  readonly #held = new Map<string, number>();

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    // After a restart every device has a fresh grace period.
    this.#startedTs = clock.now();
  }

  /** Returns whether the grace period was over. */
  see(userId: UserId, deviceId: DeviceId): boolean {
    const now = this.#clock.now();
    const wasOver = this.graceEnd(userId, deviceId) <= now;
    this.#lastSeen.set(keyOf(userId, deviceId), now);
    return wasOver;
  }

  /** Until the returned function is called the grace period does not pass. */
  hold(userId: UserId, deviceId: DeviceId): () => void {
    const key = keyOf(userId, deviceId);
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    return () => {
      const others = (this.#held.get(key) ?? 1) - 1;
      if (others === 0) this.#held.delete(key);
      else this.#held.set(key, others);
      if (this.#lastSeen.has(key)) this.#lastSeen.set(key, this.#clock.now());
    };
  }

  /** ms since the epoch. */
  graceEnd(userId: UserId, deviceId: DeviceId): number {
    const key = keyOf(userId, deviceId);
    const now = this.#clock.now();
    const seen = this.#held.has(key) ? now : (this.#lastSeen.get(key) ?? this.#startedTs);
    return seen + this.#graceMs;
  }
}

function keyOf(userId: UserId, deviceId: DeviceId): string {
  return `${userId}\0${deviceId}`;
}
