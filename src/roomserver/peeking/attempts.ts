// When rooms are to be looked at again in which something is to be done, or has failed.

import type { Clock } from '../../clock.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

const FIRST_PAUSE_MS = 30_000;
const LAST_PAUSE_MS = 300_000;

export class Attempts {
  readonly #clock: Clock;
  readonly #again: (roomId: RoomId) => void;
  readonly #timers = new Map<RoomId, () => void>();
  /** ms: of rooms of which nobody could be had when they were tried last. */
  readonly #pauses = new Map<RoomId, number>();
  #isClosed = false;

  constructor(clock: Clock, again: (roomId: RoomId) => void) {
    this.#clock = clock;
    this.#again = again;
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  /** Instead of when it was to be before. */
  after(delayMs: number, roomId: RoomId): void {
    if (this.#isClosed) return;
    this.#timers.get(roomId)?.();
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(roomId);
      this.#again(roomId);
    });
    this.#timers.set(roomId, cancel);
  }

  failed(roomId: RoomId): void {
    const before = this.#pauses.get(roomId) ?? FIRST_PAUSE_MS / 2;
    const pause = Math.min(before * 2, LAST_PAUSE_MS);
    this.#pauses.set(roomId, pause);
    this.after(pause, roomId);
  }

  succeeded(roomId: RoomId): void {
    this.#pauses.delete(roomId);
  }

  /** There is hope: at once, unless it was tried just now. */
  hasten(roomId: RoomId): void {
    if ((this.#pauses.get(roomId) ?? 0) <= FIRST_PAUSE_MS) return;
    this.#pauses.delete(roomId);
    this.after(0, roomId);
  }

  forget(roomId: RoomId): void {
    this.#timers.get(roomId)?.();
    this.#timers.delete(roomId);
    this.#pauses.delete(roomId);
  }
}
