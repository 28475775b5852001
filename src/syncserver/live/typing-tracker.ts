// Who is typing where, now. Kept in memory only: clients repeat themselves while it goes on.

import type { Clock } from '../../clock.ts';
import type { Typing } from '../../eventlog/entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';

/** Clients ask for 30 s or so; nobody types for hours. */
const MAX_TIMEOUT_MS = 120_000;

interface RoomTyping {
  readonly users: Map<UserId, () => void>;
  /** Counter at the last change. */
  version: number;
}

export class TypingTracker {
  readonly #clock: Clock;
  readonly #onChange: (roomId: RoomId) => void;
  readonly #rooms = new Map<RoomId, RoomTyping>();
  #version = 0;

  constructor(clock: Clock, onChange: (roomId: RoomId) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  /**
   * A user of whom nothing is known stops typing: told all the same, since she may have started before this
   * process did.
   */
  set(roomId: RoomId, { userId, typing, timeoutMs }: Typing): void {
    const room = this.#rooms.get(roomId) ?? { users: new Map<UserId, () => void>(), version: 0 };
    this.#rooms.set(roomId, room);
    const cancel = room.users.get(userId);
    cancel?.();
    if (!typing) {
      room.users.delete(userId);
      this.#changed(roomId, room);
      return;
    }
    const delay = Math.min(Math.max(timeoutMs, 0), MAX_TIMEOUT_MS);
    const expire = () => this.set(roomId, { userId, typing: false, timeoutMs: 0 });
    room.users.set(userId, this.#clock.schedule(delay, expire));
    if (cancel === undefined) this.#changed(roomId, room);
  }

  /** Does nothing when she does not type. */
  stop(roomId: RoomId, userId: UserId): void {
    if (this.#rooms.get(roomId)?.users.has(userId) !== true) return;
    this.set(roomId, { userId, typing: false, timeoutMs: 0 });
  }

  /** Counter at the room's last change, 0 when there was none. */
  versionOf(roomId: RoomId): number {
    return this.#rooms.get(roomId)?.version ?? 0;
  }

  typingIn(roomId: RoomId): UserId[] {
    return [...(this.#rooms.get(roomId)?.users.keys() ?? [])];
  }

  close(): void {
    for (const { users } of this.#rooms.values()) for (const cancel of users.values()) cancel();
    this.#rooms.clear();
  }

  #changed(roomId: RoomId, room: RoomTyping): void {
    this.#version += 1;
    room.version = this.#version;
    this.#onChange(roomId);
  }
}
