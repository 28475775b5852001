// What a batch of entries of `roomserver.output` writes, and what memory is told once that is committed.

import type { Transaction } from '../../database/database.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import type { MemberChange } from '../live/live-room.ts';
import type { LiveUser } from '../live/live-user.ts';
import { wakeAll } from '../live/wake.ts';
import { insertMemberships, type Membership } from '../store/memberships.ts';
import type { Peek } from '../store/peeks.ts';
import {
  deleteRemoteMembers,
  insertRemoteMembers,
  type RemoteMember,
} from '../store/remote-members.ts';
import { insertTimelineRows, type TimelineRow, updateRelationRemoved } from '../store/timeline.ts';
import type { PreparedPeeks } from './peek-entries.ts';

export interface RoomBatchOptions {
  readonly context: SyncserverContext;
  readonly tx: Transaction;
  /** The rooms' states before the batch. */
  readonly heads: Map<RoomId, StateSnapshotId>;
  readonly peeks: PreparedPeeks;
}

interface RemoteChange {
  readonly member: RemoteMember;
  readonly isJoined: boolean;
}

export class RoomBatch {
  readonly context: SyncserverContext;
  readonly tx: Transaction;
  /** ms since the epoch. */
  readonly now: number;
  /** Rooms whose peeks have changed. */
  readonly peekedRooms = new Set<RoomId>();
  readonly heads: Map<RoomId, StateSnapshotId>;
  readonly peeks: PreparedPeeks;
  readonly purgedRooms: RoomId[] = [];

  readonly #rows: TimelineRow[] = [];
  #unwrittenRows: TimelineRow[] = [];
  readonly #events: StoredEvent[] = [];
  readonly #memberships: Membership[] = [];
  /** Not yet written: at most one for each user and room. */
  readonly #unwritten = new Map<string, Membership>();
  /** Not yet written: what the users of other servers are last. */
  readonly #remoteMembers = new Map<string, RemoteChange>();
  readonly #memberChanges: { roomId: RoomId; change: MemberChange }[] = [];
  readonly #userChanges: { userId: UserId; change: (user: LiveUser) => void }[] = [];
  readonly #forgottenEvents: EventId[] = [];

  constructor({ context, tx, heads, peeks }: RoomBatchOptions) {
    this.context = context;
    this.tx = tx;
    this.now = context.clock.now();
    this.heads = heads;
    this.peeks = peeks;
  }

  addRow(row: TimelineRow, event?: StoredEvent): void {
    this.#rows.push(row);
    this.#unwrittenRows.push(row);
    if (event !== undefined) this.#events.push(event);
    if (row.position > 0) this.heads.set(row.roomId, row.currentState);
  }

  async addMembership(membership: Membership): Promise<void> {
    const key = `${membership.userId}\0${membership.roomId}`;
    if (this.#unwritten.has(key)) await this.writeMemberships();
    this.#unwritten.set(key, membership);
    this.#memberships.push(membership);
  }

  addMemberChange(roomId: RoomId, change: MemberChange): void {
    this.#memberChanges.push({ roomId, change });
  }

  setRemoteMember(member: RemoteMember, isJoined: boolean): void {
    this.#remoteMembers.set(`${member.userId}\0${member.roomId}`, { member, isJoined });
  }

  /** Before anything is read of them. */
  async writeMemberships(): Promise<void> {
    const unwritten = [...this.#unwritten.values()];
    this.#unwritten.clear();
    await insertMemberships(this.tx, unwritten);
  }

  changePeeks(peeks: readonly Peek[]): void {
    for (const peek of peeks) {
      this.peekedRooms.add(peek.roomId);
      this.changeUser(peek.userId, (user) => user.putPeek(peek));
    }
  }

  changeUser(userId: UserId, change: (user: LiveUser) => void): void {
    this.#userChanges.push({ userId, change });
  }

  /** It was redacted. */
  async forgetEvent(eventId: EventId): Promise<void> {
    this.#forgottenEvents.push(eventId);
    // Its row may be of this very batch: only what is written can be changed.
    if (this.#unwrittenRows.some((row) => row.eventId === eventId)) await this.#writeRows();
    await updateRelationRemoved(this.tx, eventId);
  }

  purge(roomId: RoomId): void {
    this.purgedRooms.push(roomId);
    this.heads.delete(roomId);
  }

  async write(): Promise<void> {
    await this.writeMemberships();
    await this.#writeRows();
    const remote = [...this.#remoteMembers.values()];
    this.#remoteMembers.clear();
    await insertRemoteMembers(this.tx, membersOf(remote.filter(({ isJoined }) => isJoined)));
    await deleteRemoteMembers(this.tx, membersOf(remote.filter(({ isJoined }) => !isJoined)));
  }

  async #writeRows(): Promise<void> {
    const rows = this.#unwrittenRows;
    this.#unwrittenRows = [];
    await insertTimelineRows(this.tx, rows);
  }

  /** In one turn of the event loop: users first, since rooms come into memory with those who join them. */
  tell(position: number): void {
    const { live, events, positions, typing } = this.context;
    const woken = new Set<LiveUser | undefined>();
    for (const { userId, change } of this.#userChanges) woken.add(live.change(userId, change));
    for (const membership of this.#memberships) {
      woken.add(live.change(membership.userId, (user) => user.addMembership(membership)));
    }
    for (const eventId of this.#forgottenEvents) events.forget(eventId);
    for (const event of this.#events) {
      if (!this.#forgottenEvents.includes(event.eventId)) events.remember(event);
    }
    for (const row of this.#rows) {
      const room = live.room(row.roomId);
      room?.addRow(row);
      if (row.position > 0) for (const user of room?.watchers ?? []) woken.add(user);
    }
    for (const { roomId, change } of this.#memberChanges) {
      live.room(roomId)?.addMember(change);
      if (change.wasJoined && !change.isJoined) typing.stop(roomId, change.userId);
    }
    for (const roomId of this.purgedRooms) live.removeRoom(roomId);
    positions.advance('rooms', position);
    wakeAll(woken);
  }
}

function membersOf(changes: readonly RemoteChange[]): RemoteMember[] {
  return changes.map(({ member }) => member);
}
