// The key of a state map as one string, and the map itself.

import type { EventId } from '../identifiers.ts';

/** Event type and state key, joined by `stateKeyOf`. */
export type StateKey = string;

export type StateMap = ReadonlyMap<StateKey, EventId>;

/** Event types and state keys hold no NUL (format checks refuse it), so that keys are unambiguous. */
const SEPARATOR = '\u0000';

export function stateKeyOf(type: string, stateKey: string): StateKey {
  return `${type}${SEPARATOR}${stateKey}`;
}

export function parseStateKey(key: StateKey): { readonly type: string; readonly stateKey: string } {
  const at = key.indexOf(SEPARATOR);
  return { type: key.slice(0, at), stateKey: key.slice(at + 1) };
}
