// One power level as it stands in JSON: an integer, and in older rooms also a float or a string.

import { isJsonObject, isRawNumber, type JsonValue } from '../json.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';

/** Base 10, no point or exponent; one sign, leading zeros and white space around it are allowed. */
const INTEGER_TEXT = /^[+-]?[0-9]+$/;

/** The level as an integer; `undefined` when it is absent or is no level in this room version. */
export function readLevel(
  value: JsonValue | undefined,
  rules: RoomVersionRules,
): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (rules.integerPowerLevels) return undefined;
  if (typeof value === 'number') return truncate(value);
  if (typeof value === 'string') return readText(value);
  return isRawNumber(value) ? truncate(Number(value.rawJSON)) : undefined;
}

function readText(text: string): number | undefined {
  const digits = text.trim();
  return INTEGER_TEXT.test(digits) ? truncate(Number(digits)) : undefined;
}

/** Floats lose their fraction; what a double cannot hold is no level. */
function truncate(value: number): number | undefined {
  return Number.isFinite(value) ? Math.trunc(value) + 0 : undefined;
}

/** The level under a key of an object in content, such as `users`; `undefined` when there is none. */
export function readEntry(
  map: JsonValue | undefined,
  key: string,
  rules: RoomVersionRules,
): number | undefined {
  if (!isJsonObject(map) || !Object.hasOwn(map, key)) return undefined;
  return readLevel(map[key], rules);
}
