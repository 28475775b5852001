// Power levels as the rules and clients read them: defaults, strings of older rooms, privileged creators
// (Client-Server API, "m.room.power_levels"; Server-Server API, "Definitions").

import type { Pdu } from '../events/pdu.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { roomCreators } from './creators.ts';
import { readEntry } from './power-level-value.ts';
import type { StateLookup } from './state-lookup.ts';

/** Levels are integers, or `Infinity` for the creators of a room whose version privileges them. */
export interface PowerLevels {
  levelOf(userId: string): number;
  /** For all but memberships: the level that an event of this type requires. */
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

/** What a property is taken for when it is absent, or is no level (which older rooms may hold). */
export const DEFAULT_LEVELS = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const;

export type LevelProperty = keyof typeof DEFAULT_LEVELS;

const NOTIFICATION_DEFAULT = 50;
/** Of the creator of a room without power levels, where creators are not privileged. */
const CREATOR_LEVEL = 100;

/** Reads m.room.create and m.room.power_levels of the state. */
export function powerLevels(state: StateLookup, rules: RoomVersionRules): PowerLevels {
  const events = {
    powerLevels: state('m.room.power_levels', ''),
    create: state('m.room.create', ''),
  };
  return powerLevelsFrom(events, rules);
}

/** The same from the two events that decide it; `undefined` where the room has none. */
export function powerLevelsFrom(
  events: { readonly powerLevels: Pdu | undefined; readonly create: Pdu | undefined },
  rules: RoomVersionRules,
): PowerLevels {
  const content = events.powerLevels?.content;
  const creators = events.create === undefined ? [] : roomCreators(events.create, rules);
  const property = (name: LevelProperty) => readEntry(content, name, rules) ?? DEFAULT_LEVELS[name];

  return {
    levelOf(userId) {
      if (rules.privilegedCreators && creators.includes(userId)) return Number.POSITIVE_INFINITY;
      if (content === undefined) return creators.includes(userId) ? CREATOR_LEVEL : 0;
      return readEntry(content.users, userId, rules) ?? property('users_default');
    },
    levelToSend(type, isState) {
      const fallback = isState ? 'state_default' : 'events_default';
      return readEntry(content?.events, type, rules) ?? property(fallback);
    },
    notification(kind) {
      return readEntry(content?.notifications, kind, rules) ?? NOTIFICATION_DEFAULT;
    },
    invite: property('invite'),
    kick: property('kick'),
    ban: property('ban'),
    redact: property('redact'),
    usersDefault: property('users_default'),
    eventsDefault: property('events_default'),
    stateDefault: property('state_default'),
  };
}
