// JSON as data. Numbers that a double cannot carry exactly (room versions 1 to 5 allow floats and
// integers beyond 2^53) are kept as `JSON.rawJSON` objects, which JSON.stringify writes unchanged.

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A number by its source text, such as `1.0`, `-0`, `1e400` or `9223372036854775807`. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** The parts of JSON that the compiler's library does not declare yet. */
const exactJson = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): JsonValue;
  rawJSON(source: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

/** True for objects, false for arrays, null and raw numbers. */
export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
  );
}

export function isRawNumber(value: unknown): value is RawNumber {
  return exactJson.isRawJSON(value);
}

export function rawNumber(source: string): RawNumber {
  return exactJson.rawJSON(source);
}

/**
 * Where a number that needs its source text may start: one with a fraction, an exponent or 16 digits, or a
 * negative zero, after what may come before a number. Text within strings can match too, which costs time only.
 */
const INEXACT_NUMBER = /(?:^|[:,[\s])(?:-?\d+[.eE]|-?\d{16}|-0)/;

/** As JSON.parse, but a number that is no safe integer in its plainest spelling becomes a RawNumber. */
export function parseJsonExactly(text: string): JsonValue {
  if (!INEXACT_NUMBER.test(text)) return JSON.parse(text) as JsonValue;
  return exactJson.parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value;
    return Number.isSafeInteger(value) && source === String(value) ? value : rawNumber(source);
  });
}
