// The rule of m.room.power_levels: form, then what the sender may change.

import { isUserId } from '../identifiers.ts';
import { isJsonObject, type JsonValue } from '../json.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import { roomCreators } from './creators.ts';
import { authorizeLevelChanges } from './power-level-changes.ts';
import { readLevel } from './power-level-value.ts';
import { DEFAULT_LEVELS } from './power-levels.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

export function authorizePowerLevels(check: AuthCheck): Verdict {
  const { event, room, rules } = check;
  const { content } = event;
  if (rules.integerPowerLevels && !arePropertiesLevels(content, rules)) {
    return rejectBy(rules, 'powerLevels.integers', 'a level is not an integer');
  }
  if (rules.integerPowerLevels && ![content.events, content.notifications].every(isMap(rules))) {
    return rejectBy(rules, 'powerLevels.maps', 'events or notifications are not maps of integers');
  }
  if (!isMap(rules)(content.users) || !Object.keys(content.users ?? {}).every(isUserId)) {
    return rejectBy(rules, 'powerLevels.users', 'users is not a map of user IDs to levels');
  }
  if (rules.privilegedCreators && mentionsCreator(check, content.users)) {
    return rejectBy(rules, 'powerLevels.creators', 'creators have no level of their own');
  }
  const current = room.powerLevelsEvent?.content;
  return current === undefined ? ALLOWED : authorizeLevelChanges(check, current);
}

function arePropertiesLevels(
  content: Readonly<Record<string, JsonValue | undefined>>,
  rules: RoomVersionRules,
): boolean {
  return Object.keys(DEFAULT_LEVELS).every(
    (name) => content[name] === undefined || readLevel(content[name], rules) !== undefined,
  );
}

/** Whether the value is an object of levels, or absent: no server insists on `users`. */
function isMap(rules: RoomVersionRules) {
  return (value: JsonValue | undefined): boolean =>
    value === undefined ||
    (isJsonObject(value) &&
      Object.values(value).every((level) => readLevel(level, rules) !== undefined));
}

function mentionsCreator({ room, rules }: AuthCheck, users: JsonValue | undefined): boolean {
  return (
    isJsonObject(users) &&
    roomCreators(room.create, rules).some((userId) => Object.hasOwn(users, userId))
  );
}
