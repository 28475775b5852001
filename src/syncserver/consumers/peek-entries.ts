// Entries of `roomserver.output` that begin and end local peeks.

import type { NewPeek, NewRoomEvent, RetirePeek, StateReplaced } from '../../eventlog/entries.ts';
import type { LogEntry } from '../../eventlog/eventlog.ts';
import { readHistoryVisibility } from '../../protocol/events/content.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { isPeekable, isWorldReadable } from '../../protocol/visibility.ts';
import type { SyncserverContext } from '../context.ts';
import { selectCurrentMembership } from '../store/memberships.ts';
import {
  insertPeek,
  type Peek,
  selectActivePeeksOfUser,
  updatePeekEnded,
  updatePeekExpiry,
  updatePeeksOfRoomEnded,
} from '../store/peeks.ts';
import type { RoomBatch } from './room-batch.ts';
import type { Place } from './timeline-row.ts';

/** A change of these may end the visibility of the room to those who look into it. */
const DECIDES_PEEKING = ['m.room.history_visibility', 'm.room.encryption'];

/** What is known of the peeks in a batch before it is written, by position. */
export interface PreparedPeeks {
  /** Those whose room may be looked into, and whose device there is. */
  readonly allowed: ReadonlySet<number>;
  /** Those whose device had not been looking any more: its other peeks count again. */
  readonly returning: ReadonlySet<number>;
}

/** The roomserver has checked the room; a peek shows all of its state, so it is checked where it takes effect too. */
export async function preparePeeks(
  context: SyncserverContext,
  entries: readonly LogEntry<'roomserver.output'>[],
): Promise<PreparedPeeks> {
  const allowed = new Set<number>();
  const returning = new Set<number>();
  for (const { key, entry, position } of entries) {
    if (entry.kind !== 'NewPeek' || !(await isOpen(context, key as RoomId, entry))) continue;
    if (!(await hasDevice(context, entry))) continue;
    allowed.add(position);
    if (context.interest.peekPosted(entry.userId, entry.deviceId)) returning.add(position);
  }
  return { allowed, returning };
}

async function isOpen(
  { roomserver }: SyncserverContext,
  roomId: RoomId,
  { currentState: snapshot }: NewPeek,
): Promise<boolean> {
  const keys = DECIDES_PEEKING.map((type) => ({ type, stateKey: '' }));
  const events = await roomserver.queryStateEvents({ roomId, snapshot, keys });
  if (events.some(({ json }) => json.type === 'm.room.encryption')) return false;
  const visibility = events.find(({ json }) => json.type === 'm.room.history_visibility');
  return isWorldReadable(readHistoryVisibility(visibility?.json.content));
}

/**
 * The device may have been deleted since it asked: its peeks went with it, and this one would come after. Where it is
 * deleted while this is applied, the peek ends by its grace period: nobody syncs for it any more.
 */
async function hasDevice(
  { live, userserver }: SyncserverContext,
  { userId, deviceId }: NewPeek,
): Promise<boolean> {
  const isKnown = (live.cachedUser(userId)?.device(deviceId).peeks ?? []).length > 0;
  return isKnown || (await userserver.queryDevice({ userId, deviceId })) !== undefined;
}

/** Begins a peek, or renews the one that there is. Who has joined meanwhile does not look. */
export async function newPeek(
  batch: RoomBatch,
  { userId, deviceId, via, expiryTs }: NewPeek,
  { roomId, position, now }: Place,
): Promise<void> {
  const { tx, context, peeks } = batch;
  const key = { userId, deviceId, roomId, via };
  tx.afterCommit(() => context.reservations.release(key));
  if (!peeks.allowed.has(position)) return;
  await batch.writeMemberships();
  if ((await selectCurrentMembership(tx, userId, roomId)) === 'join') return;
  if (peeks.returning.has(position)) {
    const active = await selectActivePeeksOfUser(tx, userId, now);
    for (const peek of active) if (peek.deviceId === deviceId) batch.peekedRooms.add(peek.roomId);
  }
  const renewed = await updatePeekExpiry(tx, key, { now, expiryTs });
  if (renewed !== undefined) return batch.changePeeks([renewed]);
  const peek: Peek = {
    ...key,
    startedPosition: position,
    endedPosition: undefined,
    expiryTs,
    ending: undefined,
  };
  await insertPeek(tx, peek);
  batch.changePeeks([peek]);
}

export async function retirePeek(
  batch: RoomBatch,
  { userId, deviceId, via }: RetirePeek,
  { roomId, ...end }: Place,
): Promise<void> {
  const key = { userId, deviceId, roomId, via };
  batch.changePeeks(await updatePeekEnded(batch.tx, key, end));
}

export async function retireAllPeeks(batch: RoomBatch, { roomId, ...end }: Place): Promise<void> {
  batch.changePeeks(await updatePeeksOfRoomEnded(batch.tx, roomId, end));
}

/** Peeks end with the entry that ends visibility or starts encryption: that is the last that they show. */
export async function endPeeksOfClosedRoom(
  batch: RoomBatch,
  entry: NewRoomEvent | StateReplaced,
  { roomId, ...end }: Place,
): Promise<void> {
  const isDecided =
    entry.kind === 'StateReplaced' ||
    entry.stateChanges.some((change) => DECIDES_PEEKING.includes(change.type));
  if (!isDecided) return;
  const { currentVisibility: visibility, encrypted } = entry;
  if (isPeekable({ visibility, encrypted })) return;
  batch.changePeeks(await updatePeeksOfRoomEnded(batch.tx, roomId, end));
}
