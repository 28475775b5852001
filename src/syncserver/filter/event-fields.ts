// `event_fields`: only those properties of events that a client asks for.

import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { isJsonObject } from '../../protocol/json.ts';
import { parsePropertyPath } from '../../protocol/property-path.ts';

export type FieldSelection = (event: JsonObject) => JsonObject;

/** By name: which properties are selected, whole or in part. */
type Fields = Map<string, Field>;

interface Field {
  isWhole: boolean;
  readonly below: Fields;
}

/** Undefined: all fields. Malformed parts count as absent. What it costs grows with the event, not with the paths. */
export function compileEventFields(json: JsonValue | undefined): FieldSelection | undefined {
  if (!Array.isArray(json)) return undefined;
  const fields: Fields = new Map();
  for (const path of json) if (typeof path === 'string') add(fields, parsePropertyPath(path));
  return (event) => select(event, fields) ?? {};
}

function add(fields: Fields, path: readonly string[]): void {
  let at = fields;
  let field: Field | undefined;
  for (const name of path) {
    field = at.get(name) ?? { isWhole: false, below: new Map() };
    at.set(name, field);
    at = field.below;
  }
  if (field !== undefined) field.isWhole = true;
}

/** Undefined where there is nothing of it. */
function select(from: JsonObject, fields: Fields): JsonObject | undefined {
  const selected: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(from)) {
    const part = value === undefined ? undefined : partOf(value, fields.get(name));
    if (part !== undefined) selected.push([name, part]);
  }
  // Also with a property called `__proto__`.
  return selected.length === 0 ? undefined : Object.fromEntries(selected);
}

function partOf(value: JsonValue, field: Field | undefined): JsonValue | undefined {
  if (field === undefined || field.isWhole) return field && value;
  return isJsonObject(value) ? select(value, field.below) : undefined;
}
