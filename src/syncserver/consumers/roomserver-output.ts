// Consumes `roomserver.output`: timelines, memberships of local users, and peeks.

import { LRUCache } from 'lru-cache';
import type { Transaction } from '../../database/database.ts';
import type {
  NewInvite,
  NewPeek,
  NewRoomEvent,
  RetireInvite,
  RetirePeek,
  RoomEntry,
  StateChange,
  StateReplaced,
  StateSnapshotId,
} from '../../eventlog/entries.ts';
import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import { readHistoryVisibility } from '../../protocol/events/content.ts';
import { stripEvent } from '../../protocol/events/stripped-state.ts';
import {
  type EventId,
  type RoomId,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { SyncserverContext } from '../context.ts';
import {
  deleteMembershipsOfRoom,
  selectCurrentMembership,
  updateForgotten,
} from '../store/memberships.ts';
import {
  deletePeeksOfRoom,
  insertPeek,
  type Peek,
  selectActivePeeksOfUser,
  updatePeekEnded,
  updatePeekExpiry,
  updatePeeksOfRoomEnded,
  updatePeeksOfUserEnded,
} from '../store/peeks.ts';
import { deleteReceiptsOfRoom } from '../store/receipts.ts';
import {
  deleteTimelineOfRoom,
  selectLatestRows,
  updateRelationRemoved,
} from '../store/timeline.ts';
import { RoomBatch } from './room-batch.ts';
import { type Place, rowOfNewEvent, rowOfOldEvent, rowOfReplacedState } from './timeline-row.ts';

type Topic = 'roomserver.output';
type Entry = LogEntry<Topic>;

const MAX_HEADS = 10_000;
/** A change of these may end the visibility of the room to those who look into it. */
const DECIDES_PEEKING = new Set(['m.room.history_visibility', 'm.room.encryption']);

export function consumeRoomserverOutput(
  context: SyncserverContext,
): Consumer<Topic, ReadonlySet<number>> {
  const heads = new LRUCache<RoomId, StateSnapshotId>({ max: MAX_HEADS });
  return {
    name: 'syncserver',
    topic: 'roomserver.output',
    database: context.database,
    prepare: (entries) => peekableEntries(context, entries),
    apply: async (tx, entries, peekable) => {
      const before = await headsOf(tx, heads, entries);
      const batch = new RoomBatch({ context, tx, heads: before, peekable });
      for (const entry of entries) await applyEntry(batch, entry);
      await batch.write();
      if (batch.peekedRooms.size > 0) await context.interest.settle(tx, batch.peekedRooms);
      tx.afterCommit(() => {
        for (const [roomId, head] of batch.heads) heads.set(roomId, head);
        for (const { entry, key } of entries)
          if (entry.kind === 'PurgeRoom') heads.delete(key as RoomId);
        batch.tell(entries.at(-1)?.position ?? 0);
      });
    },
  };
}

/** The rooms' states before the batch: remembered, or read once. */
async function headsOf(
  tx: Transaction,
  known: LRUCache<RoomId, StateSnapshotId>,
  entries: readonly Entry[],
): Promise<Map<RoomId, StateSnapshotId>> {
  const heads = new Map<RoomId, StateSnapshotId>();
  const unknown = new Set<RoomId>();
  for (const { key, entry } of entries) {
    if (entry.kind !== 'NewRoomEvent' && entry.kind !== 'StateReplaced') continue;
    const roomId = key as RoomId;
    const head = known.get(roomId);
    if (head === undefined) unknown.add(roomId);
    else heads.set(roomId, head);
  }
  if (unknown.size > 0) {
    for (const row of await selectLatestRows(tx, [...unknown]))
      heads.set(row.roomId, row.currentState);
  }
  return heads;
}

/** The roomserver has checked this; a peek shows the whole state of a room, so it is checked where it takes effect too. */
async function peekableEntries(
  { roomserver }: SyncserverContext,
  entries: readonly Entry[],
): Promise<ReadonlySet<number>> {
  const peekable = new Set<number>();
  for (const { key, entry, position } of entries) {
    if (entry.kind !== 'NewPeek') continue;
    const events = await roomserver.queryStateEvents({
      roomId: key as RoomId,
      snapshot: entry.currentState,
      keys: [...DECIDES_PEEKING].map((type) => ({ type, stateKey: '' })),
    });
    const visibility = events.find(({ json }) => json.type === 'm.room.history_visibility');
    const isEncrypted = events.some(({ json }) => json.type === 'm.room.encryption');
    const isReadable = readHistoryVisibility(visibility?.json.content) === 'world_readable';
    if (isReadable && !isEncrypted) peekable.add(position);
  }
  return peekable;
}

async function applyEntry(batch: RoomBatch, { key, position, entry }: Entry): Promise<void> {
  const place: Place = { roomId: key as RoomId, position, now: batch.now };
  switch (entry.kind) {
    case 'NewRoomEvent':
      return newRoomEvent(batch, entry, place);
    case 'OldRoomEvent':
      return batch.addRow(rowOfOldEvent(entry, place));
    case 'StateReplaced':
      batch.addRow(rowOfReplacedState(entry, place, batch.heads.get(place.roomId)));
      return stateChanged(batch, entry, place);
    case 'RedactedEvent':
      batch.forgetEvent(entry.redacted);
      return updateRelationRemoved(batch.tx, entry.redacted);
    case 'NewInvite':
      return newInvite(batch, entry, place);
    case 'RetireInvite':
      return retireInvite(batch, entry, place);
    case 'NewPeek':
      return batch.peekable.has(position) ? newPeek(batch, entry, place) : undefined;
    case 'RetirePeek':
      return retirePeek(batch, entry, place);
    case 'ForgetRoom':
      await batch.writeMemberships();
      batch.changeUser(entry.userId, (user) => user.forget(place.roomId));
      return updateForgotten(batch.tx, entry.userId, place.roomId);
    case 'PurgeRoom':
      return purge(batch, place);
    default:
      return notForClients(entry);
  }
}

/** Peeks of, and into, other servers: the federationsender's. */
function notForClients(_entry: Extract<RoomEntry, { kind: `${string}boundPeek` }>): void {}

async function newRoomEvent(batch: RoomBatch, entry: NewRoomEvent, place: Place): Promise<void> {
  const { event, stateBefore, visibilityAtEvent, stateChanges } = entry;
  const own = stateChanges.find((change) => change.eventId === event.eventId);
  batch.addRow(rowOfNewEvent(entry, place, batch.heads.get(place.roomId)), {
    eventId: event.eventId,
    roomVersion: event.roomVersion,
    json: event.json,
    stateBefore,
    visibilityAtEvent,
    ...(own?.replacedEventId !== undefined && { replacesState: own.replacedEventId }),
  });
  if (stateChanges.length > 0) await stateChanged(batch, entry, place);
}

async function stateChanged(
  batch: RoomBatch,
  entry: NewRoomEvent | StateReplaced,
  { roomId, position }: Place,
): Promise<void> {
  const { serverName } = batch.context;
  for (const change of entry.stateChanges) {
    if (change.type !== 'm.room.member' || !hasNewMembership(change)) continue;
    const userId = change.stateKey as UserId;
    if (serverNameOf(userId) !== serverName) continue;
    const membership = change.membership ?? 'leave';
    const eventId = change.eventId ?? ('' as EventId);
    await batch.addMembership({ userId, roomId, position, membership, eventId, forgotten: false });
    if (membership === 'join' || membership === 'ban') {
      batch.changePeeks(await updatePeeksOfUserEnded(batch.tx, { userId, roomId }, position));
    }
  }
  const isDecided =
    entry.kind === 'StateReplaced' ||
    entry.stateChanges.some((change) => DECIDES_PEEKING.has(change.type));
  const isOpen = entry.currentVisibility === 'world_readable' && !entry.encrypted;
  if (isDecided && !isOpen) {
    batch.changePeeks(await updatePeeksOfRoomEnded(batch.tx, roomId, position));
  }
}

function hasNewMembership({ membership, previousMembership }: StateChange): boolean {
  return membership !== previousMembership;
}

async function newInvite(batch: RoomBatch, entry: NewInvite, place: Place): Promise<void> {
  await batch.addMembership({
    userId: entry.userId,
    roomId: place.roomId,
    position: place.position,
    membership: entry.membership,
    eventId: entry.event.eventId,
    forgotten: false,
    strippedState: withOwnEvent(entry),
  });
}

/** Clients look for the user's own member event to see who invited her. */
function withOwnEvent({ userId, event, strippedState }: NewInvite): JsonObject[] {
  const isOwn = ({ type, state_key }: JsonObject) =>
    type === 'm.room.member' && state_key === userId;
  return [...strippedState.filter((other) => !isOwn(other)), stripEvent(event)];
}

function retireInvite(batch: RoomBatch, entry: RetireInvite, place: Place): Promise<void> {
  const { userId, eventId, membership } = entry;
  const { roomId, position } = place;
  return batch.addMembership({ userId, roomId, position, membership, eventId, forgotten: false });
}

async function newPeek(
  batch: RoomBatch,
  { userId, deviceId, via, expiryTs }: NewPeek,
  { roomId, position, now }: Place,
): Promise<void> {
  const { interest, reservations } = batch.context;
  const key = { userId, deviceId, roomId, via };
  batch.tx.afterCommit(() => reservations.release(key));
  await batch.writeMemberships();
  if ((await selectCurrentMembership(batch.tx, userId, roomId)) === 'join') return;
  if (interest.peekPosted(userId, deviceId)) {
    const active = await selectActivePeeksOfUser(batch.tx, userId, now);
    for (const peek of active) if (peek.deviceId === deviceId) batch.peekedRooms.add(peek.roomId);
  }
  const renewed = await updatePeekExpiry(batch.tx, key, { now, expiryTs });
  if (renewed !== undefined) return batch.changePeeks([renewed]);
  const peek: Peek = { ...key, startedPosition: position, endedPosition: undefined, expiryTs };
  await insertPeek(batch.tx, peek);
  batch.changePeeks([peek]);
}

async function retirePeek(
  batch: RoomBatch,
  { userId, deviceId, via }: RetirePeek,
  { roomId, position }: Place,
): Promise<void> {
  const key = { userId, deviceId, roomId, via };
  batch.changePeeks(await updatePeekEnded(batch.tx, key, position));
}

async function purge(batch: RoomBatch, { roomId }: Place): Promise<void> {
  // Rows of this very batch too.
  await batch.write();
  await deleteTimelineOfRoom(batch.tx, roomId);
  await deleteMembershipsOfRoom(batch.tx, roomId);
  await deletePeeksOfRoom(batch.tx, roomId);
  await deleteReceiptsOfRoom(batch.tx, roomId);
  batch.peekedRooms.add(roomId);
  batch.purge(roomId);
}
