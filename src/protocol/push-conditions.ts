// Conditions of push rules (Client-Server API, "Conditions"), compiled once per rule.

import { compileGlob, compileWordGlob } from './glob.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { parsePropertyPath, readProperty } from './property-path.ts';

/** An event as one user may be notified of it. */
export interface PushContext {
  /** The event in client format, with `room_id`. */
  readonly event: JsonObject;
  /** The user's display name in the room. */
  readonly displayName: string | undefined;
  /** Joined members of the room. */
  readonly memberCount: number;
  /** Whether the sender's power suffices for notifications of this kind, such as `room`. */
  readonly senderMayNotify: (kind: string) => boolean;
}

export type Condition = (context: PushContext) => boolean;

const never: Condition = () => false;

/** A condition that is not known or malformed never holds. */
export function compileCondition(condition: JsonObject): Condition {
  switch (condition.kind) {
    case 'event_match':
      return compileEventMatch(condition.key, condition.pattern);
    case 'event_property_is':
      return compilePropertyIs(condition.key, condition.value);
    case 'event_property_contains':
      return compilePropertyContains(condition.key, condition.value);
    case 'contains_display_name':
      return containsDisplayName;
    case 'room_member_count':
      return compileMemberCount(condition.is);
    case 'sender_notification_permission':
      return compileSenderPermission(condition.key);
    default:
      return never;
  }
}

export function compileEventMatch(
  key: JsonValue | undefined,
  pattern: JsonValue | undefined,
): Condition {
  if (typeof key !== 'string' || typeof pattern !== 'string') return never;
  const path = parsePropertyPath(key);
  const matches = key === 'content.body' ? compileWordGlob(pattern) : compileGlob(pattern);
  return ({ event }) => {
    const value = readProperty(event, path);
    return typeof value === 'string' && matches(value);
  };
}

/** Strings, integers within ±(2^53-1), booleans and null. */
function isComparable(value: JsonValue | undefined): boolean {
  return typeof value === 'number'
    ? Number.isSafeInteger(value)
    : value === null || typeof value === 'string' || typeof value === 'boolean';
}

function compilePropertyIs(key: JsonValue | undefined, value: JsonValue | undefined): Condition {
  if (typeof key !== 'string' || !isComparable(value)) return never;
  const path = parsePropertyPath(key);
  return ({ event }) => readProperty(event, path) === value;
}

function compilePropertyContains(
  key: JsonValue | undefined,
  value: JsonValue | undefined,
): Condition {
  if (typeof key !== 'string' || value === undefined || !isComparable(value)) return never;
  const path = parsePropertyPath(key);
  return ({ event }) => {
    const values = readProperty(event, path);
    return Array.isArray(values) && values.includes(value);
  };
}

const containing = new WeakMap<PushContext, boolean>();

/** Looked for once, however many rules ask. */
function containsDisplayName(context: PushContext): boolean {
  const known = containing.get(context) ?? findDisplayName(context);
  containing.set(context, known);
  return known;
}

function findDisplayName({ event, displayName }: PushContext): boolean {
  if (displayName === undefined || displayName.trim() === '') return false;
  const body = readProperty(event, ['content', 'body']);
  if (typeof body !== 'string') return false;
  const text = body.toLowerCase();
  const name = displayName.toLowerCase();
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!isWordChar(text[at - 1]) && !isWordChar(text[at + name.length])) return true;
  }
  return false;
}

function isWordChar(char: string | undefined): boolean {
  return char !== undefined && /[A-Za-z0-9_]/.test(char);
}

const COMPARISONS: Readonly<Record<string, (count: number, limit: number) => boolean>> = {
  '==': (count, limit) => count === limit,
  '<': (count, limit) => count < limit,
  '>': (count, limit) => count > limit,
  '<=': (count, limit) => count <= limit,
  '>=': (count, limit) => count >= limit,
};

function compileMemberCount(is: JsonValue | undefined): Condition {
  const [, operator = '==', limit] =
    (typeof is === 'string' && /^(==|<=|>=|<|>)?([0-9]+)$/.exec(is)) || [];
  const compare = COMPARISONS[operator];
  if (limit === undefined || compare === undefined) return never;
  return ({ memberCount }) => compare(memberCount, Number(limit));
}

function compileSenderPermission(key: JsonValue | undefined): Condition {
  if (typeof key !== 'string') return never;
  return ({ senderMayNotify }) => senderMayNotify(key);
}
