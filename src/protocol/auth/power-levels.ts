// Power levels as the rules and clients read them: defaults, strings of older rooms, privileged creators.

import type { Pdu } from '../events/pdu.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import type { StateLookup } from './state-lookup.ts';

/** Levels are integers, or `Infinity` for the creators of a room whose version privileges them. */
export interface PowerLevels {
  levelOf(userId: string): number;
  levelToSend(type: string, isState: boolean): number;
  readonly invite: number;
  readonly kick: number;
  readonly ban: number;
  readonly redact: number;
  readonly usersDefault: number;
  readonly eventsDefault: number;
  readonly stateDefault: number;
  /** The level needed for a kind of notification, such as `room` (50 unless set). */
  notification(kind: string): number;
}

export function powerLevels(_state: StateLookup, _rules: RoomVersionRules): PowerLevels {
  throw new Error('not written yet');
}

/** The same from the two events that decide it; `undefined` where the room has none. */
export function powerLevelsFrom(
  _events: { readonly powerLevels: Pdu | undefined; readonly create: Pdu | undefined },
  _rules: RoomVersionRules,
): PowerLevels {
  throw new Error('not written yet');
}
