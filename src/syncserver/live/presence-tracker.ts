// Presence as last heard, in memory only.

import { LRUCache } from 'lru-cache';
import type { Presence } from '../../eventlog/entries.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

const MAX_USERS = 100_000;

interface Entry {
  readonly presence: Presence;
  /** Counter at the last change. */
  readonly version: number;
}

export class PresenceTracker {
  readonly #users = new LRUCache<UserId, Entry>({ max: MAX_USERS });
  readonly #onChange: (userId: UserId) => void;
  #version = 0;

  constructor(onChange: (userId: UserId) => void) {
    this.#onChange = onChange;
  }

  /** Rises with every change. */
  get version(): number {
    return this.#version;
  }

  /** Repeating what holds is no news; only the time of the last activity moves. */
  set(userId: UserId, presence: Presence): void {
    const known = this.#users.get(userId);
    const isNews =
      known?.presence.presence !== presence.presence ||
      known.presence.statusMsg !== presence.statusMsg;
    if (isNews) this.#version += 1;
    this.#users.set(userId, { presence, version: isNews ? this.#version : known.version });
    if (isNews) this.#onChange(userId);
  }

  get(userId: UserId): Presence | undefined {
    return this.#users.peek(userId)?.presence;
  }

  /** The users whose presence has changed since. */
  changedAfter(version: number): UserId[] {
    if (version >= this.#version) return [];
    return [...this.#users.entries()].flatMap(([userId, entry]) =>
      entry.version > version ? [userId] : [],
    );
  }
}

/** Content of an m.presence event. */
export function presenceContent(presence: Presence, now: number): JsonObject {
  const isOnline = presence.presence === 'online';
  return {
    presence: presence.presence,
    last_active_ago: Math.max(now - presence.lastActiveTs, 0),
    ...(isOnline && { currently_active: true }),
    ...(presence.statusMsg !== undefined && { status_msg: presence.statusMsg }),
  };
}
