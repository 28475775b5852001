// A room as the rules look at it: readers over a set of state.

import type { Pdu } from '../events/pdu.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { type PowerLevels, powerLevelsFrom } from './power-levels.ts';
import type { StateLookup } from './state-lookup.ts';

export interface RoomView {
  readonly create: Pdu;
  readonly powerLevelsEvent: Pdu | undefined;
  readonly levels: PowerLevels;
  /** `undefined` for a user who never had one. */
  membershipOf(userId: string): string | undefined;
  /** `invite` when the room has no join rules; `undefined` for a value that is no string. */
  joinRule(): string | undefined;
  thirdPartyInvite(token: string): Pdu | undefined;
}

export function viewRoom(create: Pdu, state: StateLookup, rules: RoomVersionRules): RoomView {
  const powerLevelsEvent = state('m.room.power_levels', '');
  return {
    create,
    powerLevelsEvent,
    levels: powerLevelsFrom({ powerLevels: powerLevelsEvent, create }, rules),
    membershipOf: (userId) => state('m.room.member', userId)?.membership,
    joinRule() {
      const event = state('m.room.join_rules', '');
      const rule = event === undefined ? 'invite' : event.content.join_rule;
      return typeof rule === 'string' ? rule : undefined;
    },
    thirdPartyInvite: (token) => state('m.room.third_party_invite', token),
  };
}
