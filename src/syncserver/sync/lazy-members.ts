// Which member events a device has been sent when it lazy-loads members, so that they need not be sent again.
// What went out with a response counts only once the device comes back with that response's token.

import { LRUCache } from 'lru-cache';
import { entries } from '../../lru-entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';

const MAX_DEVICES = 5_000;
/** In one room; whoever comes after is sent again each time. */
const MAX_MEMBERS = 2_000;

type Members = Map<RoomId, Set<UserId>>;

interface DeviceMemory {
  readonly token: string | undefined;
  readonly known: Members;
  /** What the response with `pendingToken` held. */
  readonly pendingToken: string;
  readonly pending: Members;
}

const NOBODY: ReadonlySet<UserId> = new Set();

/** For one response. */
export interface LazySession {
  known(roomId: RoomId): ReadonlySet<UserId>;
  sent(roomId: RoomId, userIds: Iterable<UserId>): void;
  /** The device is given the whole state anew. */
  startAnew(roomId: RoomId): void;
  /** The response goes out with this token. */
  finish(nextBatch: string): void;
}

export class LazyMembers {
  readonly #devices: LRUCache<string, DeviceMemory>;

  constructor(maxDevices = MAX_DEVICES) {
    this.#devices = new LRUCache(entries(maxDevices));
  }

  begin(viewer: Viewer, since: string | undefined): LazySession {
    const id = `${viewer.userId}\0${viewer.deviceId}`;
    const known = this.#knownAt(id, since);
    const pending: Members = new Map();
    return {
      known: (roomId) => known.get(roomId) ?? NOBODY,
      sent: (roomId, userIds) => {
        const members = pending.get(roomId) ?? new Set();
        pending.set(roomId, members);
        for (const userId of userIds) members.add(userId);
      },
      startAnew: (roomId) => known.delete(roomId),
      finish: (pendingToken) =>
        this.#devices.set(id, { token: since, known, pendingToken, pending }),
    };
  }

  /** With a token that is not the last one, nothing is certain. */
  #knownAt(id: string, since: string | undefined): Members {
    const memory = this.#devices.get(id);
    if (since === undefined || memory === undefined) return new Map();
    if (since === memory.pendingToken) return merged(memory.known, memory.pending);
    return since === memory.token ? new Map(memory.known) : new Map();
  }
}

function merged(known: Members, pending: Members): Members {
  const all: Members = new Map(known);
  for (const [roomId, members] of pending) {
    const before = all.get(roomId) ?? NOBODY;
    if (before.size < MAX_MEMBERS) all.set(roomId, new Set([...before, ...members]));
  }
  return all;
}
