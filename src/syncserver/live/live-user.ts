// A user who syncs: her memberships, what changed of her account data, her devices, and who waits for a change.

import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import { isOverdue } from '../peeks/peek-state.ts';
import type { AccountDataChange } from '../store/account-data.ts';
import type { Membership } from '../store/memberships.ts';
import type { Peek } from '../store/peeks.ts';
import type { LiveRoom } from './live-room.ts';

export interface LiveDevice {
  /** Those of /sync and of /events, active and ended. */
  peeks: readonly Peek[];
  /** Positions of the messages that wait for the device; 0 when none. */
  oldestMessage: number;
  newestMessage: number;
}

const NO_DEVICE: Readonly<LiveDevice> = { peeks: [], oldestMessage: 0, newestMessage: 0 };

/** What is read when a user comes into memory. */
export interface UserRecord {
  readonly memberships: readonly Membership[];
  readonly accountData: readonly AccountDataChange[];
  readonly peeks: readonly Peek[];
  readonly messages: readonly {
    readonly deviceId: DeviceId;
    readonly oldest: number;
    readonly newest: number;
  }[];
}

export class LiveUser {
  readonly userId: UserId;
  /** Memberships of each room, in order of position. */
  readonly memberships = new Map<RoomId, readonly Membership[]>();
  /** The rooms whose changes wake her: those that she has joined or looks into. */
  readonly rooms = new Map<RoomId, LiveRoom>();
  /** Rises with every change that may concern her. */
  version = 0;
  latestAccountData = 0;
  /** Whether `rooms` has to be found anew, since memberships or peeks have changed. */
  roomsAreStale = true;

  /** By room ('' for none) and type. */
  readonly #accountData = new Map<string, Map<string, AccountDataChange>>();
  readonly #devices = new Map<DeviceId, LiveDevice>();
  readonly #waiters = new Set<() => void>();
  /** Of each device, how often it has been removed since this is in memory. */
  readonly #removals = new Map<DeviceId, number>();
  #removalsOfAll = 0;

  constructor(userId: UserId, record: UserRecord) {
    this.userId = userId;
    for (const membership of record.memberships) this.addMembership(membership);
    for (const change of record.accountData) this.addAccountData(change);
    for (const peek of record.peeks) this.putPeek(peek);
    for (const { deviceId, oldest, newest } of record.messages) {
      this.#edit(deviceId, { oldestMessage: oldest, newestMessage: newest });
    }
  }

  /** Calls back once, when something changes that may concern her; the returned function takes that back. */
  onChange(callback: () => void): () => void {
    this.#waiters.add(callback);
    return () => this.#waiters.delete(callback);
  }

  get isWaiting(): boolean {
    return this.#waiters.size > 0;
  }

  wake(): void {
    this.noteChange();
    this.endWaits();
  }

  noteChange(): void {
    this.version += 1;
  }

  endWaits(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const callback of waiters) callback();
  }

  /** Does nothing when it is known already. */
  addMembership(membership: Membership): void {
    const history = this.memberships.get(membership.roomId) ?? [];
    const last = history.at(-1);
    if (last !== undefined && last.position >= membership.position) return;
    this.memberships.set(membership.roomId, [...history, membership]);
    this.roomsAreStale = true;
  }

  forget(roomId: RoomId): void {
    const history = this.memberships.get(roomId);
    const last = history?.at(-1);
    if (history === undefined || last === undefined) return;
    this.memberships.set(roomId, [...history.slice(0, -1), { ...last, forgotten: true }]);
  }

  removeRoom(roomId: RoomId): void {
    this.memberships.delete(roomId);
    this.roomsAreStale = true;
    this.rooms.delete(roomId);
  }

  isJoined(roomId: RoomId): boolean {
    return this.memberships.get(roomId)?.at(-1)?.membership === 'join';
  }

  addAccountData(change: AccountDataChange): void {
    const ofRoom = this.#accountData.get(change.roomId) ?? new Map<string, AccountDataChange>();
    this.#accountData.set(change.roomId, ofRoom.set(change.type, change));
    this.latestAccountData = Math.max(this.latestAccountData, change.position);
  }

  accountDataChanges(after: number, upTo: number): AccountDataChange[] {
    return [...this.#accountData.keys()].flatMap((roomId) =>
      this.accountDataOf(roomId, after, upTo),
    );
  }

  /** `roomId`: '' for global data. */
  accountDataOf(roomId: string, after: number, upTo: number): AccountDataChange[] {
    if (this.latestAccountData <= after) return [];
    const ofRoom = this.#accountData.get(roomId);
    if (ofRoom === undefined) return [];
    return [...ofRoom.values()].filter(({ position }) => position > after && position <= upTo);
  }

  device(deviceId: DeviceId): Readonly<LiveDevice> {
    return this.#devices.get(deviceId) ?? NO_DEVICE;
  }

  /** Those of peeks that go on. The end of one wakes by itself. */
  roomsLookedInto(): Set<RoomId> {
    const rooms = new Set<RoomId>();
    for (const { peeks } of this.#devices.values()) {
      for (const peek of peeks) if (peek.endedPosition === undefined) rooms.add(peek.roomId);
    }
    return rooms;
  }

  /** On all devices: those of which is to be decided where they ended, and those that are of no use any more. */
  overduePeeks(now: number): Peek[] {
    const overdue: Peek[] = [];
    for (const { peeks } of this.#devices.values()) {
      for (const peek of peeks) if (isOverdue(peek, now)) overdue.push(peek);
    }
    return overdue;
  }

  /** Adds it, or puts it in the place of what was known of it. */
  putPeek(peek: Peek): void {
    const others = this.device(peek.deviceId).peeks.filter((other) => !isSamePeek(other, peek));
    this.#edit(peek.deviceId, { peeks: [...others, peek] });
    this.roomsAreStale = true;
  }

  removePeek(peek: Peek): void {
    const others = this.device(peek.deviceId).peeks.filter((other) => !isSamePeek(other, peek));
    this.#edit(peek.deviceId, { peeks: others });
    this.roomsAreStale = true;
  }

  addMessage(deviceId: DeviceId, position: number): void {
    const { oldestMessage, newestMessage } = this.device(deviceId);
    this.#edit(deviceId, {
      oldestMessage: oldestMessage === 0 ? position : Math.min(oldestMessage, position),
      newestMessage: Math.max(newestMessage, position),
    });
  }

  /** Messages up to the position have been deleted. */
  messagesDeleted(deviceId: DeviceId, upTo: number): void {
    const { newestMessage } = this.device(deviceId);
    this.#edit(
      deviceId,
      newestMessage <= upTo ? { oldestMessage: 0, newestMessage: 0 } : { oldestMessage: upTo + 1 },
    );
  }

  removeDevice(deviceId: DeviceId): void {
    this.#devices.delete(deviceId);
    this.#removals.set(deviceId, (this.#removals.get(deviceId) ?? 0) + 1);
    this.roomsAreStale = true;
  }

  /** Rises when the device is removed: a request of it that waits is nobody's any more. */
  removalsOf(deviceId: DeviceId): number {
    return this.#removalsOfAll + (this.#removals.get(deviceId) ?? 0);
  }

  removeAllDevices(): void {
    this.#devices.clear();
    this.#removalsOfAll += 1;
    this.roomsAreStale = true;
  }

  #edit(deviceId: DeviceId, change: Partial<LiveDevice>): void {
    this.#devices.set(deviceId, { ...this.device(deviceId), ...change });
  }
}

function isSamePeek(one: Peek, other: Peek): boolean {
  return (
    one.roomId === other.roomId &&
    one.via === other.via &&
    one.startedPosition === other.startedPosition
  );
}
