// The power levels of a room that replaces another: those of the old one, in the terms of the new one's version.

import { readEntry } from '../../protocol/auth/power-level-value.ts';
import { DEFAULT_LEVELS, type LevelProperty } from '../../protocol/auth/power-levels.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';

export interface TransferRequest {
  /** Of the old room, whose creators are those that its version privileges. */
  readonly old: {
    readonly content: JsonObject | undefined;
    readonly rules: RoomVersionRules;
    readonly creators: readonly string[];
  };
  readonly rules: RoomVersionRules;
  readonly creator: string;
  readonly additionalCreators: readonly string[];
  /** Of the state that is copied. */
  readonly types: readonly string[];
}

export interface TransferredLevels {
  /** With which the creator can send what is copied. */
  readonly first: JsonObject;
  /** Where it differs: what the room is left with. */
  readonly last?: JsonObject;
}

const ADMIN = 100;
const MAPS = ['users', 'events', 'notifications'] as const;
const PROPERTIES = Object.keys(DEFAULT_LEVELS) as LevelProperty[];

export function transferredPowerLevels(request: TransferRequest): TransferredLevels {
  const { rules, creator, additionalCreators } = request;
  const levels = inTermsOf(request);
  const users = isJsonObject(levels.users) ? levels.users : {};
  if (rules.privilegedCreators) {
    const privileged = [creator, ...additionalCreators];
    const others = Object.entries(users).filter(([userId]) => !privileged.includes(userId));
    return { first: { ...levels, users: Object.fromEntries(others) } };
  }
  const last = { ...levels, users: { ...users, ...formerCreators(request, levels) } };
  const needed = levelNeeded(request, last);
  const level = readEntry(last.users, creator, rules) ?? levelOf(last, 'users_default', rules);
  if (level >= needed) return { first: last };
  return { first: { ...last, users: { ...last.users, [creator]: needed } }, last };
}

/** Where levels have to be integers, what reads as one becomes one, and anything else goes. */
function inTermsOf({ old, rules, creator }: TransferRequest): JsonObject {
  const { content = { users: { [creator]: ADMIN } } } = old;
  if (!rules.integerPowerLevels || old.rules.integerPowerLevels) return content;
  const levels = { ...content } as Record<string, JsonValue>;
  for (const name of PROPERTIES) {
    if (!(name in content)) continue;
    const level = readEntry(content, name, old.rules);
    if (level === undefined) delete levels[name];
    else levels[name] = level;
  }
  for (const name of MAPS) {
    const map = content[name];
    if (!isJsonObject(map)) continue;
    const entries = Object.keys(map).map((key) => [key, readEntry(map, key, old.rules)] as const);
    levels[name] = Object.fromEntries(
      entries.filter(([, level]) => level !== undefined),
    ) as JsonObject;
  }
  return levels;
}

/** They stood above all levels, and need one now. */
function formerCreators({ old }: TransferRequest, levels: JsonObject): JsonObject {
  if (!old.rules.privilegedCreators) return {};
  const named = PROPERTIES.map((name) => levelOf(levels, name, old.rules));
  const top = Math.max(ADMIN, ...named, ...levelsIn(levels, 'events', old.rules));
  return Object.fromEntries(old.creators.map((userId) => [userId, top]));
}

function levelNeeded({ rules, types }: TransferRequest, levels: JsonObject): number {
  const state = levelOf(levels, 'state_default', rules);
  const toSend = ['m.room.power_levels', ...types].map(
    (type) => readEntry(levels.events, type, rules) ?? state,
  );
  return Math.max(levelOf(levels, 'ban', rules), ...toSend);
}

function levelOf(levels: JsonObject, name: LevelProperty, rules: RoomVersionRules): number {
  return readEntry(levels, name, rules) ?? DEFAULT_LEVELS[name];
}

function levelsIn(levels: JsonObject, name: string, rules: RoomVersionRules): number[] {
  const map = levels[name];
  if (!isJsonObject(map)) return [];
  return Object.keys(map).flatMap((key) => readEntry(map, key, rules) ?? []);
}
