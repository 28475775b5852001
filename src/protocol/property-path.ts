// Dot-separated property paths (appendices), such as `content.m\.relates_to.rel_type`.

import { isJsonObject, type JsonValue } from './json.ts';

/** `\.` and `\\` are a dot and a backslash within a name; other escapes stand as they are. */
export function parsePropertyPath(path: string): readonly string[] {
  const names = [''];
  for (let i = 0; i < path.length; i++) {
    const char = path.charAt(i);
    const next = path.charAt(i + 1);
    const isEscape = char === '\\' && (next === '.' || next === '\\');
    if (char === '.') names.push('');
    else names[names.length - 1] += isEscape ? next : char;
    if (isEscape) i++;
  }
  return names;
}

/** Undefined when any property on the way is missing or no object. */
export function readProperty(from: JsonValue, names: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = from;
  for (const name of names) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
