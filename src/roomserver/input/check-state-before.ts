// Check 5: the rules allow the event by the state before it, otherwise it is rejected.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import { resolveSnapshots } from '../rooms/resolve-snapshots.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { EMPTY_STATE } from '../state/snapshot.ts';
import { authorizeIn } from './authorize-in.ts';
import type { CheckedEvent } from './checked-event.ts';
import type { Judgement } from './judgement.ts';

/** The states after events that are not here, as others have them. */
export type StatesAfter = ReadonlyMap<EventId, StateSnapshotId>;

/**
 * The states after the prev_events, resolved; undefined when one of them is not here and not among `statesAfter`.
 * Rejected prev_events have a state after them like all others.
 */
export async function stateBefore(
  room: RoomDraft,
  { prevEvents }: Pdu,
  statesAfter: StatesAfter,
): Promise<StateSnapshotId | undefined> {
  const records = await room.events(prevEvents);
  const { extremities } = room.head;
  const states = new Set<StateSnapshotId>();
  for (const id of prevEvents) {
    // Of a state that arrived as a whole, the extremities themselves may not be here.
    const extremity = extremities.find(({ eventId }) => eventId === id);
    const state =
      extremity?.stateAfter ?? stateAfterIn(room, records.get(id)) ?? statesAfter.get(id);
    if (state === undefined) return undefined;
    states.add(state);
  }
  return states.size === 0 ? EMPTY_STATE : resolveSnapshots(room, [...states]);
}

function stateAfterIn(
  room: RoomDraft,
  record: EventRecord | undefined,
): StateSnapshotId | undefined {
  return record?.roomId === room.roomId ? record.stateAfter : undefined;
}

export function checkStateBefore(
  room: RoomDraft,
  event: CheckedEvent,
  before: StateSnapshotId,
): Promise<Judgement> {
  return authorizeIn(room, before, event);
}
