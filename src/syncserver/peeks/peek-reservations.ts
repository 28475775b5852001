// Peeks that have been allowed but not yet consumed from the log: without them, starts at the same time would
// all find room for one more.

import type { Clock } from '../../clock.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { PeekKey } from '../store/peeks.ts';

/** How long an allowed peek that never comes, since the room refused it, takes its place. */
export const RESERVATION_MS = 30_000;

interface Reservation {
  readonly key: PeekKey;
  readonly until: number;
}

export class PeekReservations {
  readonly #clock: Clock;
  /** In order of their making. */
  readonly #reservations = new Map<string, Reservation>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns those of the same user or room that were made before. One that is there keeps its place. */
  reserve(key: PeekKey): readonly PeekKey[] {
    this.#expire();
    const id = idOf(key);
    if (!this.#reservations.has(id)) {
      this.#reservations.set(id, { key, until: this.#clock.now() + RESERVATION_MS });
    }
    const before: PeekKey[] = [];
    for (const [otherId, { key: other }] of this.#reservations) {
      if (otherId === id) break;
      if (concerns(other, key.userId, key.roomId)) before.push(other);
    }
    return before;
  }

  /** The peek has come, or was refused. */
  release(key: PeekKey): void {
    this.#reservations.delete(idOf(key));
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#reservations) {
      if (until > now) break;
      this.#reservations.delete(id);
    }
  }
}

function concerns(key: PeekKey, userId: UserId, roomId: RoomId): boolean {
  return key.userId === userId || key.roomId === roomId;
}

export function idOf({ userId, deviceId, roomId, via }: PeekKey): string {
  return [userId, deviceId, roomId, via].join('\0');
}
