// Puts an accepted event at the end of a room: extremities, current state, stored row, redactions and log entry.

import type { StateChange, StateReplaced, StateSnapshotId } from '../../eventlog/entries.ts';
import { readHistoryVisibility } from '../../protocol/events/content.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import {
  type DeviceId,
  type EventId,
  type ServerName,
  serverNameOf,
} from '../../protocol/identifiers.ts';
import { type HistoryVisibility, moreOpen } from '../../protocol/visibility.ts';
import type { StateEntryChange } from '../api.ts';
import type { EventRecord } from '../event-record.ts';
import { type SettledRedactions, settleRedactions } from './redactions.ts';
import { resolveSnapshots } from './resolve-snapshots.ts';
import type { RoomDraft } from './room-draft.ts';
import type { Extremity } from './room-head.ts';
import { applyChanges, describeChanges } from './state-changes.ts';

export interface Extension {
  readonly pdu: Pdu;
  /** The states after the event's prev_events, resolved. */
  readonly stateBefore: StateSnapshotId;
  readonly serverName: ServerName;
  /** For our own events, and those that were handed to us to be distributed: in whose name they are relayed. */
  readonly sendAs?: ServerName;
  readonly transaction?: { readonly deviceId: DeviceId; readonly id: string } | undefined;
  /** Accepted, but others refer to it already, so that it is no extremity. */
  readonly isReferenced?: boolean;
  /** As of `referredTo`, where it has been asked for already. */
  readonly referred?: ReadonlySet<EventId> | undefined;
}

export async function extendRoom(room: RoomDraft, extension: Extension): Promise<EventRecord> {
  const placed = await placeEvent(room, extension);
  room.store(placed);
  const wasResident = room.head.localMembers > 0;
  const stateChanges = await moveHead(room, placed, extension);
  const { localMembers, joinedMembers } = room.head;
  const isArrival = !wasResident && localMembers > 0 && joinedMembers > localMembers;
  const settled = await settleRedactions(room, placed, {
    isNew:
      extension.sendAs !== undefined && serverNameOf(placed.pdu.sender) === extension.serverName,
  });
  const { record } = settled;
  if (record.reason === undefined)
    logEvent(room, record, { ...extension, stateChanges, isArrival });
  else if (stateChanges.length > 0) logStateReplaced(room, 'resolution', stateChanges);
  logRedactions(room, settled);
  return record;
}

/** The record of an event at its place in the DAG; stored by the caller. */
export async function placeEvent(
  room: RoomDraft,
  { pdu, stateBefore }: Pick<Extension, 'pdu' | 'stateBefore'>,
  standing: EventRecord['standing'] = 'accepted',
): Promise<EventRecord> {
  const { type, stateKey, eventId } = pdu;
  const isState = stateKey !== undefined && standing !== 'rejected';
  const stateAfter = isState
    ? await room.states.set(stateBefore, [{ type, stateKey, eventId }])
    : stateBefore;
  return {
    pdu,
    roomId: room.roomId,
    standing,
    reason: undefined,
    stateBefore,
    stateAfter,
    replacesState: isState ? await room.states.get(stateBefore, type, stateKey) : undefined,
    visibility: await visibilityAt(room, pdu, stateBefore),
    redactedBy: undefined,
  };
}

async function visibilityAt(
  room: RoomDraft,
  pdu: Pdu,
  stateBefore: StateSnapshotId,
): Promise<HistoryVisibility> {
  const before =
    stateBefore === room.head.currentState
      ? room.head.visibility
      : await visibilityIn(room, stateBefore);
  if (pdu.type !== 'm.room.history_visibility' || pdu.stateKey !== '') return before;
  return moreOpen(before, readHistoryVisibility(pdu.content));
}

export async function visibilityIn(
  room: RoomDraft,
  snapshot: StateSnapshotId,
): Promise<HistoryVisibility> {
  const event = await room.eventAt(snapshot, 'm.room.history_visibility', '');
  return readHistoryVisibility(event?.pdu.content);
}

/** New extremities and the current state that follows from them. Returns what has changed. */
async function moveHead(
  room: RoomDraft,
  record: EventRecord,
  { serverName, isReferenced, referred }: Extension,
): Promise<StateChange[]> {
  const { pdu, stateAfter } = record;
  if (stateAfter === undefined) return [];
  if (isReferenced) {
    return withdrawReferred(room, referred ?? (await referredTo(room, pdu.prevEvents)), serverName);
  }
  const extremities = await extremitiesAfter(room, { pdu, stateAfter, referred });
  return setExtremities(room, extremities, { serverName, record });
}

/**
 * Of an event that has come late, or is refused, and that others refer to: extremities that it refers to are none. As it was not here,
 * that could not be seen when those others came. Returns what has changed of the current state.
 */
export async function withdrawReferred(
  room: RoomDraft,
  referred: ReadonlySet<EventId>,
  serverName: ServerName,
): Promise<StateChange[]> {
  const { extremities } = room.head;
  const left = extremities.filter(({ eventId }) => !referred.has(eventId));
  if (left.length === extremities.length || left.length === 0) return [];
  return setExtremities(room, left, { serverName });
}

async function setExtremities(
  room: RoomDraft,
  extremities: readonly Extremity[],
  { serverName, record }: { readonly serverName: ServerName; readonly record?: EventRecord },
): Promise<StateChange[]> {
  const before = room.head.currentState;
  room.head = { ...room.head, extremities };
  const states = extremities.map((extremity) => extremity.stateAfter);
  const after = await resolveSnapshots(room, states);
  if (after === before) return [];
  const isPlain = extremities.length === 1 && record !== undefined && before === record.stateBefore;
  const changed = isPlain ? [ownChange(record)] : await room.states.diff(before, after);
  const changes = await describeChanges(room, changed);
  await applyChanges(room, after, { changes, serverName });
  return changes;
}

async function extremitiesAfter(
  room: RoomDraft,
  {
    pdu: { eventId, depth, prevEvents },
    stateAfter,
    referred: known,
  }: Pick<Extension, 'pdu' | 'referred'> & { readonly stateAfter: StateSnapshotId },
): Promise<Extremity[]> {
  const { extremities } = room.head;
  const isPlain =
    prevEvents.length === extremities.length &&
    extremities.every(({ eventId: id }) => prevEvents.includes(id));
  const referred = isPlain ? undefined : (known ?? (await referredTo(room, prevEvents)));
  const left = extremities.filter(({ eventId: id }) => referred?.has(id) === false);
  return [...left, { eventId, depth, stateAfter }];
}

/** So many refused events are walked over. What lies beyond them may stay an extremity, until one of ours refers to it. */
const MAX_REFUSED = 1000;

/** The prev_events and, since refused events are no extremities, what these refer to in turn. */
export async function referredTo(
  room: RoomDraft,
  prevEvents: readonly EventId[],
): Promise<Set<EventId>> {
  const found = new Set(prevEvents);
  let wanted: readonly EventId[] = prevEvents;
  let refused = 0;
  while (wanted.length > 0 && refused < MAX_REFUSED) {
    const next: EventId[] = [];
    for (const { standing, pdu } of (await room.events(wanted)).values()) {
      if (standing !== 'softFailed' && standing !== 'rejected') continue;
      refused++;
      for (const id of pdu.prevEvents) {
        if (!found.has(id)) next.push(id);
        found.add(id);
      }
    }
    wanted = next;
  }
  return found;
}

function ownChange({ pdu, replacesState }: EventRecord): StateEntryChange {
  return {
    type: pdu.type,
    stateKey: pdu.stateKey ?? '',
    to: pdu.eventId,
    ...(replacesState !== undefined && { from: replacesState }),
  };
}

export function logEvent(
  room: RoomDraft,
  { pdu, stateBefore, visibility }: EventRecord,
  details: Pick<Extension, 'sendAs' | 'transaction'> & {
    readonly stateChanges: readonly StateChange[];
    readonly isArrival?: boolean;
  },
): void {
  const { sendAs, transaction, stateChanges, isArrival } = details;
  const { currentState, visibility: currentVisibility, encrypted } = room.head;
  const extremities = room.head.extremities.map(({ eventId }) => eventId);
  const isAlone = extremities.length === 1 && extremities[0] === pdu.eventId;
  room.log({
    kind: 'NewRoomEvent',
    event: pdu,
    stateChanges,
    stateBefore: stateBefore ?? currentState,
    currentState,
    visibilityAtEvent: visibility ?? currentVisibility,
    currentVisibility,
    encrypted,
    ...(!isAlone && { extremities }),
    ...(sendAs !== undefined && { sendAs }),
    ...(transaction !== undefined && { transaction }),
    ...(isArrival && { isArrival }),
  });
}

/** For backfilled history, which moves no head. Redactions that waited for it apply to it. */
export async function logOldEvent(room: RoomDraft, placed: EventRecord): Promise<void> {
  const settled = await settleRedactions(room, placed, { isNew: false });
  const { record } = settled;
  if (record.reason === undefined) {
    room.log({
      kind: 'OldRoomEvent',
      event: record.pdu,
      stateBefore: record.stateBefore ?? room.head.currentState,
      visibilityAtEvent: record.visibility ?? room.head.visibility,
    });
  }
  logRedactions(room, settled);
}

export function logRedactions(room: RoomDraft, { released, redacted }: SettledRedactions): void {
  for (const redaction of released) logEvent(room, redaction, { stateChanges: [] });
  for (const entry of redacted) room.log({ kind: 'RedactedEvent', ...entry });
}

export function logStateReplaced(
  room: RoomDraft,
  reason: StateReplaced['reason'],
  stateChanges: readonly StateChange[],
): void {
  const { roomVersion, currentState, visibility, encrypted } = room.head;
  room.log({
    kind: 'StateReplaced',
    reason,
    roomVersion,
    stateChanges,
    currentState,
    currentVisibility: visibility,
    encrypted,
  });
}
