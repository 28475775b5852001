// Canonical JSON (appendices, "Canonical JSON"): the one text that hashes and signatures are made of.
// Keys in order of code points, nothing insignificant, strings with the escapes that JSON.stringify uses.

import { MatrixError } from './error.ts';
import { isRawNumber, type JsonObject, type JsonValue } from './json.ts';

export interface CanonicalJsonOptions {
  /**
   * True: numbers are integers within ±(2^53-1), anything else throws M_BAD_JSON (room version 6 on).
   * False: other numbers are written as they stand in their source.
   */
  readonly strict: boolean;
}

/** Throws M_BAD_JSON for what has no canonical form: lone surrogates, and numbers as the options say. */
export function encodeCanonicalJson(
  value: JsonValue | undefined,
  { strict }: CanonicalJsonOptions,
): string {
  const text = encode(value ?? null, strict);
  if (text.includes('\\ud') && LONE_SURROGATE.test(text)) {
    throw new MatrixError('M_BAD_JSON', 'Text must not contain lone surrogates');
  }
  return text;
}

/** JSON.stringify escapes lone surrogates; an even number of backslashes before it would be text. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

function encode(value: JsonValue, strict: boolean): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return encodeNumber(value, strict);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'null';
      if (Array.isArray(value)) return encodeArray(value, strict);
      if (isRawNumber(value)) return encodeRawNumber(value.rawJSON, strict);
      return encodeObject(value as JsonObject, strict);
  }
}

function encodeArray(items: readonly JsonValue[], strict: boolean): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += encode(items[i] ?? null, strict);
  }
  return `${text}]`;
}

function encodeObject(object: JsonObject, strict: boolean): string {
  let text = '';
  for (const key of sortedKeys(object)) {
    const member = object[key];
    if (member === undefined) continue;
    text += text === '' ? '{' : ',';
    text += `${QUOTED_KEYS.get(key) ?? `${JSON.stringify(key)}:`}${encode(member, strict)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

function encodeNumber(value: number, strict: boolean): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (strict || !Number.isFinite(value)) throw badNumber(String(value));
  return String(value);
}

function encodeRawNumber(source: string, strict: boolean): string {
  if (strict) throw badNumber(source);
  return source;
}

function badNumber(source: string): MatrixError {
  const shown = source.length > 40 ? `${source.slice(0, 40)}…` : source;
  return new MatrixError('M_BAD_JSON', `Not an integer within ±(2^53-1): ${shown}`);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Sorting by UTF-16 units, as `sort` does, differs from code points only where there are surrogates. */
function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  if (keys.length < 2) return keys;
  return keys.some(isUnusual) ? keys.sort(compareCodePoints) : keys.sort();
}

function isUnusual(key: string): boolean {
  return !QUOTED_KEYS.has(key) && SURROGATE.test(key);
}

/** The order of UTF-8 bytes is the order of code points. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Keys that most events have, quoted once. */
const QUOTED_KEYS: ReadonlyMap<string, string> = new Map(
  [
    ...['auth_events', 'content', 'depth', 'hashes', 'origin', 'origin_server_ts', 'prev_events'],
    ...['prev_state', 'redacts', 'room_id', 'sender', 'sha256', 'signatures', 'state_key', 'type'],
    ...['body', 'msgtype', 'format', 'formatted_body', 'membership', 'displayname', 'avatar_url'],
    ...['algorithm', 'ciphertext', 'device_id', 'sender_key', 'session_id', 'm.relates_to'],
    ...['event_id', 'rel_type', 'key', 'm.in_reply_to', 'm.mentions', 'user_ids', 'info', 'url'],
  ].map((key) => [key, `${JSON.stringify(key)}:`]),
);
