// The authorization rules, applied to one event (Room Versions, "Authorisation rules").
// This file is the order of the rules; each rule is in a file of its own.

import type { Pdu } from '../events/pdu.ts';
import { type ServerName, serverNameOf } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { authorizeAliases } from './aliases.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import { authTypesFor } from './auth-types.ts';
import { authorizeCreate } from './create.ts';
import { authorizeMember } from './member/member.ts';
import { authorizePowerLevels } from './power-levels-event.ts';
import { authorizeRedaction } from './redaction.ts';
import { viewRoom } from './room-view.ts';
import type { StateLookup } from './state-lookup.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

/** What the rules need besides the event and the state. */
export interface AuthContext {
  /** Of the room's version. */
  readonly rules: RoomVersionRules;
  /**
   * The room's m.room.create event, if it was accepted. Room version 12 takes it from here, since it is not
   * in auth events; unset there means that there is none. Other versions take it from the state.
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
  event: Pdu,
  state: StateLookup,
  context: AuthContext,
): Verdict {
  const { rules, isSignedBy } = context;
  if (event.type === 'm.room.create') return authorizeCreate(event, rules);
  const create = rules.roomIdIsCreateEventId ? context.create : state('m.room.create', '');
  if (create === undefined || create.roomId !== event.roomId) {
    const rule = rules.roomIdIsCreateEventId ? 'room' : 'authEvents.create';
    return rejectBy(rules, rule, 'the room has no m.room.create event');
  }
  return authorizeInRoom({ event, room: viewRoom(create, state, rules), rules, isSignedBy });
}

function authorizeInRoom(check: AuthCheck): Verdict {
  const { event, room, rules } = check;
  const isLocalOnly = room.create.content['m.federate'] === false;
  if (isLocalOnly && serverNameOf(event.sender) !== serverNameOf(room.create.sender)) {
    return rejectBy(rules, 'federate', 'the room is not federated');
  }
  if (rules.specialAliasesEvents && event.type === 'm.room.aliases') return authorizeAliases(check);
  if (event.type === 'm.room.member') return authorizeMember(check);
  if (room.membershipOf(event.sender) !== 'join') {
    return rejectBy(rules, 'sender', 'the sender is not in the room');
  }
  return authorizeByLevel(check);
}

/** The rules for what members send. */
function authorizeByLevel(check: AuthCheck): Verdict {
  const { event, room, rules } = check;
  const level = room.levels.levelOf(event.sender);
  if (event.type === 'm.room.third_party_invite') {
    return level >= room.levels.invite
      ? ALLOWED
      : rejectBy(rules, 'thirdPartyInvite.level', 'the sender may not invite');
  }
  if (level < room.levels.levelToSend(event.type, event.isState)) {
    return rejectBy(rules, 'requiredLevel', 'the sender may not send events of this type');
  }
  if (event.stateKey?.startsWith('@') && event.stateKey !== event.sender) {
    return rejectBy(rules, 'stateKey', 'the state key is the ID of another user');
  }
  if (event.type === 'm.room.power_levels') return authorizePowerLevels(check);
  const isRedaction = event.type === 'm.room.redaction';
  return isRedaction && !rules.redactionsCheckedOnApplication ? authorizeRedaction(check) : ALLOWED;
}

/**
 * Checks of the auth_events list itself: duplicates, unexpected entries, rejected ones, m.room.create
 * missing, other rooms. `authEvents` is the events listed, all of them, in any order.
 */
export function authorizeAuthEvents(
  event: Pdu,
  authEvents: readonly AuthEvent[],
  rules: RoomVersionRules,
): Verdict {
  // The rule of m.room.create decides alone, before this one.
  if (event.type === 'm.room.create') return ALLOWED;
  const isNamed = (type: string, stateKey: string | undefined) => (entry: Tuple) =>
    entry.type === type && entry.stateKey === stateKey;
  const tuples: readonly Tuple[] = authEvents.map(({ pdu }) => pdu);
  if (tuples.some((a, i) => tuples.findIndex(isNamed(a.type, a.stateKey)) < i)) {
    return rejectBy(rules, 'authEvents.duplicate', 'two auth events are of the same state');
  }
  const expected = authTypesFor(event, rules);
  if (!tuples.every(({ type, stateKey }) => expected.some(isNamed(type, stateKey)))) {
    return rejectBy(rules, 'authEvents.unexpected', 'an auth event has no part in this event');
  }
  if (authEvents.some(({ rejected }) => rejected)) {
    return rejectBy(rules, 'authEvents.rejected', 'an auth event was itself rejected');
  }
  if (!rules.roomIdIsCreateEventId && !tuples.some(isNamed('m.room.create', ''))) {
    return rejectBy(rules, 'authEvents.create', 'm.room.create is not among the auth events');
  }
  if (authEvents.some(({ pdu }) => pdu.roomId !== event.roomId)) {
    return rejectBy(rules, 'authEvents.otherRoom', 'an auth event is of another room');
  }
  return ALLOWED;
}

interface Tuple {
  readonly type: string;
  readonly stateKey: string | undefined;
}
