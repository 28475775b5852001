// Check 4: the rules allow the event by its own auth events, otherwise it is rejected.

import { authorizeAgainstState, authorizeAuthEvents } from '../../protocol/auth/authorize.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { EventRecord } from '../event-record.ts';
import { lookupIn } from '../rooms/auth-state.ts';
import { type CheckedEvent, type Dropped, dropped } from './checked-event.ts';
import { type Judgement, judge } from './judgement.ts';

export interface AuthEvents {
  /** Events that are known, by id. */
  readonly known: ReadonlyMap<EventId, Pick<EventRecord, 'pdu' | 'standing'>>;
  /** The room's m.room.create event, when it was accepted. */
  readonly create: Pdu | undefined;
  readonly rules: RoomVersionRules;
}

export function checkAuthEvents(
  { pdu, signedBy }: CheckedEvent,
  { known, create, rules }: AuthEvents,
): Judgement | Dropped {
  const authEvents = pdu.authEvents.map((id) => known.get(id));
  const present = authEvents.filter((event) => event !== undefined);
  if (present.length < authEvents.length) {
    return dropped('missing auth_events', 'an auth event cannot be had', pdu.eventId);
  }
  const listed = present.map((event) => ({
    pdu: event.pdu,
    rejected: event.standing === 'rejected',
  }));
  const ofList = authorizeAuthEvents(pdu, listed, rules);
  if (!ofList.allowed) return judge(ofList);
  const lookup = lookupIn(present.map((event) => event.pdu));
  const isSignedBy = (server: string) => (signedBy as ReadonlySet<string>).has(server);
  return judge(authorizeAgainstState(pdu, lookup, { rules, create, isSignedBy }));
}
