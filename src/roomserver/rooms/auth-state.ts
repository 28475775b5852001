// The part of a state that the authorization rules look at for one event, loaded so that the pure rules can run.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { type AuthTypesInput, authTypesFor } from '../../protocol/auth/auth-types.ts';
import type { StateLookup } from '../../protocol/auth/state-lookup.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { RoomDraft } from './room-draft.ts';

export interface AuthState {
  readonly rules: RoomVersionRules;
  readonly lookup: StateLookup;
  /** What there is of the event's auth types: the auth events of an event that is made on this state. */
  readonly events: readonly Pdu[];
  /** The room's m.room.create event, if it was accepted. */
  readonly create: Pdu | undefined;
}

export async function authStateFor(
  room: RoomDraft,
  snapshot: StateSnapshotId,
  event: AuthTypesInput,
): Promise<AuthState> {
  const events: Pdu[] = [];
  for (const { type, stateKey } of authTypesFor(event, room.rules)) {
    const record = await room.eventAt(snapshot, type, stateKey);
    if (record !== undefined) events.push(record.pdu);
  }
  const create = await createEventOf(room);
  return { rules: room.rules, lookup: lookupIn(events), events, create };
}

export async function createEventOf(room: RoomDraft): Promise<Pdu | undefined> {
  const { createEventId } = room.head;
  const record = createEventId === undefined ? undefined : await room.event(createEventId);
  return record === undefined || record.standing === 'rejected' ? undefined : record.pdu;
}

/** A handful of events, for which a scan is quicker than a map. */
export function lookupIn(events: readonly Pdu[]): StateLookup {
  return (type, stateKey) =>
    events.find((event) => event.type === type && event.stateKey === stateKey);
}
