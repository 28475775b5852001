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
const COMMA = 0x2c;

/** A value has two characters at least, but those of real JSON have ten and more: so small ones take ten times their text in memory. */
const FREE_VALUES = 100_000;
const LENGTH_PER_VALUE = 8;
const SCANNED_AT_ONCE = 1024 * 1024;

export interface JsonMeasures {
  /** 0 for a scalar, 1 for `{}`. */
  readonly depth: number;
  /** At least as many as there are. */
  readonly values: number;
}

/**
 * How deep JSON text is nested and how many values it has, found without parsing; pauses from time to time, and ends where it
 * is more than may be. Text that is no JSON gives any numbers.
 */
export function* measureJson(text: string): Generator<undefined, JsonMeasures> {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let pauseAt = SCANNED_AT_ONCE;
  const mostValues = FREE_VALUES + text.length / LENGTH_PER_VALUE;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      i = endOfString(text, i);
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      if (++depth > deepest) deepest = depth;
      if (deepest > MAX_JSON_DEPTH || ++values > mostValues) break;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      depth--;
    } else if (char === COMMA && ++values > mostValues) {
      break;
    }
    if (i > pauseAt) {
      pauseAt = i + SCANNED_AT_ONCE;
      yield;
    }
  }
  return { depth: deepest, values };
}

/** Throws M_BAD_JSON for JSON that is nested too deep, or has more in it than memory bears. */
export function checkJsonMeasures({ depth, values }: JsonMeasures, length: number): void {
  if (depth > MAX_JSON_DEPTH) {
    throw new MatrixError('M_BAD_JSON', `JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
  if (values > FREE_VALUES + length / LENGTH_PER_VALUE) {
    throw new MatrixError('M_BAD_JSON', 'JSON has too many values for its length');
  }
}

/** As `checkJsonMeasures`, without pauses. */
export function checkJsonBounds(text: string): void {
  const scan = measureJson(text);
  let step = scan.next();
  while (step.done !== true) step = scan.next();
  checkJsonMeasures(step.value, text.length);
}

/** The index of the quote that ends the string starting at `start`; the end of the text where none does. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
    if ((end - escapes) % 2 === 0) return end;
  }
  return text.length;
}

/** Parses a stranger's JSON: M_NOT_JSON when it is none, M_BAD_JSON when there is too much of it (checkJsonMeasures). */
export function parseForeignJson(text: string): JsonValue {
  checkJsonBounds(text);
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
