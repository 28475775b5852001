// Who of this server's users is typing, as other servers know it: clients repeat themselves, and fall silent.

import type { Clock } from '../../clock.ts';
import type { Typing } from '../../eventlog/entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

/** Other servers forget who types after a minute or less unless it is said again; ms. */
const REPEAT_MS = 25_000;
const LONGEST_MS = 120_000;
const MAX_USERS = 10_000;

interface Current {
  readonly cancel: () => void;
  readonly toldAt: number;
}

export class TypingUsers {
  readonly #clock: Clock;
  readonly #tell: (roomId: RoomId, change: { userId: UserId; typing: boolean }) => void;
  readonly #users = new Map<string, Current>();

  constructor(
    clock: Clock,
    tell: (roomId: RoomId, change: { userId: UserId; typing: boolean }) => void,
  ) {
    this.#clock = clock;
    this.#tell = tell;
  }

  set(roomId: RoomId, { userId, typing, timeoutMs }: Typing): void {
    const key = `${roomId}\0${userId}`;
    const current = this.#users.get(key);
    current?.cancel();
    if (!typing || this.#users.size >= MAX_USERS) {
      this.#users.delete(key);
      this.#tell(roomId, { userId, typing });
      return;
    }
    const now = this.#clock.now();
    const isFresh = current !== undefined && now - current.toldAt < REPEAT_MS;
    const delay = Math.min(Math.max(timeoutMs, 0), LONGEST_MS);
    const cancel = this.#clock.schedule(delay, () =>
      this.set(roomId, { userId, typing: false, timeoutMs: 0 }),
    );
    this.#users.set(key, { cancel, toldAt: isFresh ? current.toldAt : now });
    if (!isFresh) this.#tell(roomId, { userId, typing });
  }

  close(): void {
    for (const { cancel } of this.#users.values()) cancel();
    this.#users.clear();
  }
}
