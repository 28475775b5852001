// What a sender may change in the power levels: nothing that is above their own level, nor to above it.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { type AuthCheck, rejectBy } from './auth-check.ts';
import { readEntry } from './power-level-value.ts';
import { DEFAULT_LEVELS, type LevelProperty } from './power-levels.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

/** An entry that was added, changed or removed. */
interface Change {
  readonly key: string;
  /** `undefined` when it was added. */
  readonly before: number | undefined;
  /** `undefined` when it is removed; NaN for something that is no level, which older versions let through to here. */
  readonly after: number | undefined;
}

/** `current` is the content of the m.room.power_levels in force. */
export function authorizeLevelChanges(check: AuthCheck, current: JsonObject): Verdict {
  const { event, room, rules } = check;
  const level = room.levels.levelOf(event.sender);
  const isAbove = (value: number | undefined) => value !== undefined && !(value <= level);
  const changesOf = (key: string) => findChanges(current[key], event.content[key], rules);

  for (const { key, before, after } of propertyChanges(current, event.content, rules)) {
    const fallback = DEFAULT_LEVELS[key as LevelProperty];
    if (isAbove(before ?? fallback)) {
      return rejectBy(rules, 'powerLevels.property.current', `${key} is above the sender`);
    }
    if (isAbove(after ?? fallback)) {
      return rejectBy(rules, 'powerLevels.property.new', `${key} would be above the sender`);
    }
  }
  const entries = changesOf('events');
  if (rules.checkNotificationLevels) entries.push(...changesOf('notifications'));
  if (entries.some(({ before }) => isAbove(before))) {
    return rejectBy(rules, 'powerLevels.entryRemoved.current', 'an entry is above the sender');
  }
  if (entries.some(({ after }) => isAbove(after))) {
    return rejectBy(rules, 'powerLevels.entryAdded.new', 'an entry would be above the sender');
  }
  const users = changesOf('users');
  const others = users.filter(({ key }) => key !== event.sender);
  if (others.some(({ before }) => before !== undefined && before >= level)) {
    return rejectBy(rules, 'powerLevels.userRemoved.current', 'a user is not below the sender');
  }
  if (users.some(({ after }) => isAbove(after))) {
    return rejectBy(rules, 'powerLevels.userAdded.new', 'a user would be above the sender');
  }
  return ALLOWED;
}

function propertyChanges(
  before: JsonObject,
  after: JsonObject,
  rules: RoomVersionRules,
): readonly Change[] {
  const names = Object.keys(DEFAULT_LEVELS);
  return names.map((key) => changeOf(key, { before, after }, rules)).filter(isChange);
}

function findChanges(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  rules: RoomVersionRules,
): Change[] {
  if (after !== undefined && !isJsonObject(after)) return [NOT_A_MAP];
  const keys = new Set([...keysOf(before), ...keysOf(after)]);
  return [...keys].map((key) => changeOf(key, { before, after }, rules)).filter(isChange);
}

const NOT_A_MAP: Change = { key: '', before: undefined, after: Number.NaN };

function keysOf(map: JsonValue | undefined): string[] {
  return isJsonObject(map) ? Object.keys(map) : [];
}

function changeOf(
  key: string,
  maps: { readonly before: JsonValue | undefined; readonly after: JsonValue | undefined },
  rules: RoomVersionRules,
): Change {
  const before = readEntry(maps.before, key, rules);
  const after = readEntry(maps.after, key, rules);
  const isWritten = isJsonObject(maps.after) && Object.hasOwn(maps.after, key);
  return { key, before, after: isWritten ? (after ?? Number.NaN) : undefined };
}

/** Equal levels in different spelling are no change. */
function isChange({ before, after }: Change): boolean {
  return before !== after;
}
