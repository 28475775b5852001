// `event_fields`: only those properties of events that a client asks for.

import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { isJsonObject } from '../../protocol/json.ts';
import { parsePropertyPath, readProperty } from '../../protocol/property-path.ts';

export type FieldSelection = (event: JsonObject) => JsonObject;

/** Undefined: all fields. Malformed parts count as absent. */
export function compileEventFields(json: JsonValue | undefined): FieldSelection | undefined {
  if (!Array.isArray(json)) return undefined;
  const paths = json.filter((path) => typeof path === 'string').map(parsePropertyPath);
  return (event) => {
    const selected: Record<string, JsonValue> = {};
    for (const path of paths) copy(event, selected, path);
    return selected;
  };
}

function copy(from: JsonObject, to: Record<string, JsonValue>, path: readonly string[]): void {
  const value = readProperty(from, path);
  const last = path.at(-1);
  if (value === undefined || last === undefined) return;
  let target = to;
  for (const name of path.slice(0, -1)) {
    const known = Object.hasOwn(target, name) ? target[name] : undefined;
    // What was selected whole is the event's own object: it is not to be written into.
    const next: Record<string, JsonValue> = isJsonObject(known)
      ? ({ ...known } as Record<string, JsonValue>)
      : {};
    setOwn(target, name, next);
    target = next;
  }
  setOwn(target, last, value);
}

/** Also for a property called `__proto__`. */
function setOwn(target: object, name: string, value: JsonValue): void {
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
