// The authorization rules, applied to one event (Room Versions, "Authorisation rules").

import type { Pdu } from '../events/pdu.ts';
import type { ServerName } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import type { StateLookup } from './state-lookup.ts';
import type { Verdict } from './verdict.ts';

/** What the rules need besides the event and the state. */
export interface AuthContext {
  /**
   * The room's accepted m.room.create event. Room version 12 takes it from here, since it is not in auth
   * events; unset there means that there is none. Other versions take it from the state.
   */
  readonly create?: Pdu | undefined;
  /** Whether the event carries a valid signature of this server (`join_authorised_via_users_server`). */
  readonly isSignedBy: (server: ServerName) => boolean;
}

export interface AuthEvent {
  readonly pdu: Pdu;
  readonly rejected: boolean;
}

/** Checks that need only state (used against auth events, the state before, and the current state). */
export function authorizeAgainstState(
  _event: Pdu,
  _state: StateLookup,
  _rules: RoomVersionRules,
  _context: AuthContext,
): Verdict {
  throw new Error('not written yet');
}

/**
 * Checks of the auth_events list itself: duplicates, unexpected entries, rejected ones, m.room.create
 * missing, other rooms. `authEvents` is the events listed, all of them, in any order.
 */
export function authorizeAuthEvents(
  _event: Pdu,
  _authEvents: readonly AuthEvent[],
  _rules: RoomVersionRules,
): Verdict {
  throw new Error('not written yet');
}
