// The first m.room.power_levels of a room.

import type { UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { Preset } from './presets.ts';

const ADMIN = 100;
const MODERATOR = 50;
/** Where creators stand above all levels, replacing the room is theirs alone unless they say otherwise. */
const TOMBSTONE_OF_CREATORS = 150;

export interface PowerLevelsRequest {
  readonly rules: RoomVersionRules;
  readonly creator: UserId;
  readonly invitees: readonly UserId[];
  readonly preset: Preset;
  /** Replaces properties as a whole. */
  readonly override: JsonObject;
}

export function initialPowerLevels(request: PowerLevelsRequest): JsonObject {
  const { rules, preset, override } = request;
  const content: JsonObject = {
    users: initialUsers(request),
    users_default: 0,
    events: {
      'm.room.name': MODERATOR,
      'm.room.avatar': MODERATOR,
      'm.room.canonical_alias': MODERATOR,
      'm.room.power_levels': ADMIN,
      'm.room.history_visibility': ADMIN,
      'm.room.encryption': ADMIN,
      'm.room.server_acl': ADMIN,
      'm.room.tombstone': ADMIN,
    },
    events_default: 0,
    state_default: MODERATOR,
    invite: preset.invite,
    kick: MODERATOR,
    ban: MODERATOR,
    redact: MODERATOR,
    ...override,
  };
  return rules.privilegedCreators ? withTombstone(content, override) : content;
}

/** Creators of newer room versions have their power by having created, and must not be listed. */
function initialUsers({ rules, creator, invitees, preset }: PowerLevelsRequest): JsonObject {
  if (rules.privilegedCreators) return {};
  const admins = preset.isTrusting ? [creator, ...invitees] : [creator];
  return Object.fromEntries(admins.map((userId) => [userId, ADMIN]));
}

/** The level for m.room.tombstone is above `state_default`, unless the request names it. */
function withTombstone(content: JsonObject, override: JsonObject): JsonObject {
  const { events, state_default: stateDefault } = content;
  const named = isJsonObject(override.events) && 'm.room.tombstone' in override.events;
  if (named || !isJsonObject(events)) return content;
  const floor = typeof stateDefault === 'number' ? stateDefault + 1 : 0;
  const level = Math.min(Math.max(TOMBSTONE_OF_CREATORS, floor), Number.MAX_SAFE_INTEGER);
  return { ...content, events: { ...events, 'm.room.tombstone': level } };
}
