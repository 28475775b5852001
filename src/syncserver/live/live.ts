// The users who sync and their rooms, in memory. Consumers tell it of what they have committed, in order; what
// is being read from the database meanwhile is brought up to date before anybody sees it.

import { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import { entries } from '../../lru-entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import { selectAccountDataChanges } from '../store/account-data.ts';
import { type Membership, selectMembershipsOfUser } from '../store/memberships.ts';
import { selectPeeksOfUser } from '../store/peeks.ts';
import { type Purge, selectPurges } from '../store/purges.ts';
import { selectLatestReceipts } from '../store/receipts.ts';
import { selectLatestRows } from '../store/timeline.ts';
import { selectToDeviceBounds } from '../store/to-device.ts';
import { LiveRoom } from './live-room.ts';
import { LiveUser } from './live-user.ts';
import type { Positions } from './positions.ts';

const MAX_USERS = 10_000;

type Change = (user: LiveUser) => void;

interface Loading {
  readonly user: Promise<LiveUser>;
  readonly missed: Change[];
}

export class Live {
  readonly #database: Database;
  readonly #positions: Positions;
  readonly #users: LRUCache<UserId, LiveUser>;
  readonly #loading = new Map<UserId, Loading>();
  readonly #rooms = new Map<RoomId, LiveRoom>();

  constructor(database: Database, positions: Positions, maxUsers = MAX_USERS) {
    this.#database = database;
    this.#positions = positions;
    this.#users = new LRUCache({ ...entries(maxUsers), dispose: (user) => this.#leave(user) });
  }

  /** The user with all her rooms loaded. */
  async user(userId: UserId): Promise<LiveUser> {
    const user = this.#users.get(userId) ?? (await this.#load(userId));
    if (!hasLoadedRooms(user)) await this.#loadRooms(user);
    return user;
  }

  /** The user if she and all her rooms are in memory, at once. */
  loadedUser(userId: UserId): LiveUser | undefined {
    const user = this.#users.get(userId);
    return user !== undefined && hasLoadedRooms(user) ? user : undefined;
  }

  /** Those in memory only. */
  room(roomId: RoomId): LiveRoom | undefined {
    return this.#rooms.get(roomId);
  }

  cachedUser(userId: UserId): LiveUser | undefined {
    return this.#users.peek(userId);
  }

  /** Tells of a committed change, which must do no harm when it is known already. Wakes nobody. */
  change(userId: UserId, change: Change): LiveUser | undefined {
    this.#loading.get(userId)?.missed.push(change);
    const user = this.#users.peek(userId);
    if (user === undefined) return undefined;
    change(user);
    if (user.roomsAreStale) this.#watch(user);
    return user;
  }

  /** Tells that nothing is kept of the room any more. */
  removeRoom(roomId: RoomId): void {
    for (const user of this.#users.values()) user.removeRoom(roomId);
    for (const { missed } of this.#loading.values()) {
      missed.push((user) => user.removeRoom(roomId));
    }
    this.#rooms.delete(roomId);
  }

  #load(userId: UserId): Promise<LiveUser> {
    const running = this.#loading.get(userId);
    if (running !== undefined) return running.user;
    const missed: Change[] = [];
    const user = this.#read(userId, missed).finally(() => this.#loading.delete(userId));
    this.#loading.set(userId, { user, missed });
    return user;
  }

  async #read(userId: UserId, missed: readonly Change[]): Promise<LiveUser> {
    // First: the rows of a room that is purged from here on are told as missed.
    const purges = await selectPurges(this.#database);
    const [all, accountData, peeks, messages] = await Promise.all([
      selectMembershipsOfUser(this.#database, userId),
      selectAccountDataChanges(this.#database, userId),
      selectPeeksOfUser(this.#database, userId),
      selectToDeviceBounds(this.#database, userId),
    ]);
    const memberships = all.filter((membership) => !isPurged(purges, membership));
    const user = new LiveUser(userId, { memberships, accountData, peeks, messages });
    for (const change of missed) change(user);
    this.#users.set(userId, user);
    this.#watch(user);
    return user;
  }

  /** Makes the rooms that wake a user those that she has joined or looks into. */
  #watch(user: LiveUser): void {
    user.roomsAreStale = false;
    const looking = user.roomsLookedInto();
    for (const [roomId, room] of user.rooms) {
      if (!user.isJoined(roomId) && !looking.has(roomId)) this.#unwatch(user, room);
    }
    for (const roomId of user.memberships.keys()) {
      if (user.isJoined(roomId)) this.#watchRoom(user, roomId);
    }
    for (const roomId of looking) this.#watchRoom(user, roomId);
  }

  #watchRoom(user: LiveUser, roomId: RoomId): void {
    if (user.rooms.has(roomId)) return;
    let room = this.#rooms.get(roomId);
    if (room === undefined) {
      room = new LiveRoom(roomId, this.#positions.rooms, this.#positions.receipts);
      this.#rooms.set(roomId, room);
    }
    room.watchers.add(user);
    user.rooms.set(roomId, room);
  }

  #unwatch(user: LiveUser, room: LiveRoom): void {
    room.watchers.delete(user);
    user.rooms.delete(room.roomId);
    if (room.watchers.size === 0) this.#rooms.delete(room.roomId);
  }

  /** A user who is dropped while she waits is woken, comes back and is read anew. */
  #leave(user: LiveUser): void {
    for (const room of [...user.rooms.values()]) this.#unwatch(user, room);
    user.wake();
  }

  async #loadRooms(user: LiveUser): Promise<void> {
    const rooms = [...user.rooms.values()].filter((room) => !room.loaded);
    const roomIds = rooms.map((room) => room.roomId);
    const [latest, receipts] = await Promise.all([
      selectLatestRows(this.#database, roomIds),
      selectLatestReceipts(this.#database, roomIds),
    ]);
    const rowOf = new Map(latest.map((row) => [row.roomId, row]));
    const receiptOf = new Map(receipts.map((receipt) => [receipt.roomId, receipt.position]));
    for (const room of rooms) {
      room.load(rowOf.get(room.roomId), receiptOf.get(room.roomId) ?? 0);
    }
  }
}

function hasLoadedRooms({ rooms }: LiveUser): boolean {
  for (const room of rooms.values()) if (!room.loaded) return false;
  return true;
}

/** Rows of rooms that are gone may still be there. */
function isPurged(purges: readonly Purge[], { roomId, position }: Membership): boolean {
  return purges.some((purge) => purge.roomId === roomId && position <= purge.position);
}
