// Presence as last heard, in memory only.

import { LRUCache } from 'lru-cache';
import type { Presence } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

const MAX_USERS = 100_000;

interface Entry {
  readonly presence: Presence;
  /** Counter at the last change. */
  readonly version: number;
}

export interface PresenceChange {
  readonly userId: UserId;
  readonly version: number;
}

export class PresenceTracker {
  readonly #users: LRUCache<UserId, Entry>;
  readonly #onChange: (userId: UserId) => void;
  /** By version. Those that are not the user's last any more are dropped now and then. */
  #changes: PresenceChange[] = [];
  #version = 0;

  constructor(onChange: (userId: UserId) => void, maxUsers = MAX_USERS) {
    this.#onChange = onChange;
    this.#users = new LRUCache(entries(maxUsers));
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
    const version = isNews ? this.#version : known.version;
    this.#users.set(userId, { presence, version });
    if (!isNews) return;
    this.#changes.push({ userId, version });
    this.#forgetSuperseded();
    this.#onChange(userId);
  }

  get(userId: UserId): Presence | undefined {
    return this.#users.peek(userId)?.presence;
  }

  /** Users with their last change, where that came after `after` and not later than `upTo`: the first `limit` of them. */
  changes(range: {
    readonly after: number;
    readonly upTo: number;
    readonly limit: number;
  }): PresenceChange[] {
    const found: PresenceChange[] = [];
    for (let i = this.#placeAfter(range.after); i < this.#changes.length; i++) {
      const change = this.#changes[i] as PresenceChange;
      if (change.version > range.upTo || found.length >= range.limit) break;
      if (this.#isLast(change)) found.push(change);
    }
    return found;
  }

  #isLast({ userId, version }: PresenceChange): boolean {
    return this.#users.peek(userId)?.version === version;
  }

  #placeAfter(version: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as PresenceChange).version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetSuperseded(): void {
    if (this.#changes.length <= 2 * this.#users.size + 64) return;
    this.#changes = this.#changes.filter((change) => this.#isLast(change));
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
