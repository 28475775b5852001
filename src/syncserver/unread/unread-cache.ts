// What is unread of a room for a user, as far as it has been worked out.

import { LRUCache } from 'lru-cache';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UnreadList } from './unread-list.ts';

const MAX_ROOMS = 20_000;

export interface UnreadState {
  /** Where the user joined. */
  readonly since: number;
  /** The last position that has been looked at. */
  readonly upTo: number;
  /** Receipts up to here are in `readUpTo`. */
  readonly receiptsUpTo: number;
  /** The furthest position read of each thread; '' for all. */
  readonly readUpTo: ReadonlyMap<string, number>;
  readonly unread: UnreadList;
  /** The rules by which it was found. */
  readonly rules: JsonObject;
  /** The user's name in the room. */
  readonly displayName: string | undefined;
}

interface MemberCount {
  readonly state: StateSnapshotId;
  readonly count: number;
}

export class UnreadCache {
  readonly #states: LRUCache<string, UnreadState>;
  readonly #memberCounts: LRUCache<RoomId, MemberCount>;

  constructor(max = MAX_ROOMS) {
    this.#states = new LRUCache(entries(max));
    this.#memberCounts = new LRUCache(entries(max));
  }

  /** Of a room in that state. */
  memberCount(roomId: RoomId, state: StateSnapshotId): number | undefined {
    const known = this.#memberCounts.get(roomId);
    return known?.state === state ? known.count : undefined;
  }

  setMemberCount(roomId: RoomId, count: MemberCount): void {
    this.#memberCounts.set(roomId, count);
  }

  get(userId: UserId, roomId: RoomId): UnreadState | undefined {
    return this.#states.get(`${userId}\0${roomId}`);
  }

  set(userId: UserId, roomId: RoomId, state: UnreadState): void {
    this.#states.set(`${userId}\0${roomId}`, state);
  }
}
