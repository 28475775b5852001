// Checks at the edge, where JSON comes from strangers: how deep it is nested, before anything recurses
// into it, and which text UTF-8 and PostgreSQL can keep.

import { MatrixError } from './error.ts';
import { isRawNumber, type JsonValue, parseJsonExactly } from './json.ts';

/**
 * Levels of arrays and objects in one another. Real requests stay below 20; other homeservers, too, parse no
 * more than 128.
 */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The depth of JSON text, found without parsing: 0 for a scalar, 1 for `{}`. Text that is no JSON gives any number. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      i = endOfString(text, i);
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (++depth > deepest) deepest = depth;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      depth--;
    }
  }
  return deepest;
}

/** The index of the quote that ends the string starting at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
    if ((end - escapes) % 2 === 0) return end;
  }
  return text.length;
}

/** Parses a stranger's JSON: M_NOT_JSON when it is none, M_BAD_JSON when it is nested too deep. */
export function parseForeignJson(text: string): JsonValue {
  if (jsonDepth(text) > MAX_JSON_DEPTH) {
    throw new MatrixError('M_BAD_JSON', `JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  try {
    return parseJsonExactly(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MatrixError('M_NOT_JSON', 'Content is not JSON');
  }
}

/** Whether UTF-8 and PostgreSQL can keep the text: no NUL, no lone surrogate. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Whether all text of it can be kept, and no key would set a prototype. For what is not nested too deep. */
export function isStorableJson(value: JsonValue): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return true;
  if (Array.isArray(value)) return value.every(isStorableJson);
  return Object.entries(value).every(
    ([key, member]) =>
      key !== '__proto__' &&
      isStorableText(key) &&
      (member === undefined || isStorableJson(member)),
  );
}
