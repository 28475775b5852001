// From an entry of the log to a row of a timeline.

import type {
  NewRoomEvent,
  OldRoomEvent,
  StateReplaced,
  StateSnapshotId,
} from '../../eventlog/entries.ts';
import { readRelation } from '../../protocol/events/content.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { TimelineRow } from '../store/timeline.ts';

/** Where the entry stands. */
export interface Place {
  readonly roomId: RoomId;
  readonly position: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** `head`: the room's state before the entry; undefined when nothing is known of the room. */
export function rowOfNewEvent(
  entry: NewRoomEvent,
  place: Place,
  head: StateSnapshotId | undefined,
): TimelineRow {
  return {
    ...rowOfEvent(entry, place),
    position: place.position,
    currentState: entry.currentState,
    linear: isLinear(entry, head),
    deviceId: entry.transaction?.deviceId,
    transactionId: entry.transaction?.id,
  };
}

export function rowOfOldEvent(entry: OldRoomEvent, place: Place): TimelineRow {
  return {
    ...rowOfEvent(entry, place),
    position: -place.position,
    currentState: entry.stateBefore,
    linear: false,
    deviceId: undefined,
    transactionId: undefined,
  };
}

export function rowOfReplacedState(
  entry: StateReplaced,
  place: Place,
  head: StateSnapshotId | undefined,
): TimelineRow {
  return {
    position: place.position,
    roomId: place.roomId,
    kind: entry.reason === 'resolution' ? 'replaced' : 'anew',
    eventId: '' as EventId,
    type: '',
    sender: '' as UserId,
    stateKey: undefined,
    depth: 0,
    stateBefore: head ?? entry.currentState,
    currentState: entry.currentState,
    visibility: entry.currentVisibility,
    linear: false,
    containsUrl: false,
    relType: undefined,
    relatesTo: undefined,
    receivedTs: place.now,
    deviceId: undefined,
    transactionId: undefined,
  };
}

function rowOfEvent(
  entry: Pick<NewRoomEvent, 'event' | 'stateBefore' | 'visibilityAtEvent'>,
  place: Place,
) {
  const event = Pdu.from(entry.event);
  const relation = readRelation(event.content);
  return {
    roomId: place.roomId,
    kind: 'event' as const,
    eventId: event.eventId,
    type: event.type,
    sender: event.sender,
    stateKey: event.stateKey,
    depth: event.depth,
    stateBefore: entry.stateBefore,
    visibility: entry.visibilityAtEvent,
    containsUrl: typeof event.content.url === 'string',
    relType: relation?.relType,
    relatesTo: relation?.eventId,
    receivedTs: place.now,
  };
}

function isLinear(entry: NewRoomEvent, head: StateSnapshotId | undefined): boolean {
  const { eventId } = entry.event;
  const continues = head === undefined ? isCreate(entry) : entry.stateBefore === head;
  return continues && entry.stateChanges.every((change) => change.eventId === eventId);
}

function isCreate(entry: NewRoomEvent): boolean {
  return Pdu.from(entry.event).type === 'm.room.create';
}
