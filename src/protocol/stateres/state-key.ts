// The key of a state map as one string.

export type StateKey = string;

/** Event types and state keys hold no NUL (format checks refuse it), so that keys are unambiguous. */
const SEPARATOR = '\u0000';

export function stateKeyOf(type: string, stateKey: string): StateKey {
  return `${type}${SEPARATOR}${stateKey}`;
}

export function parseStateKey(key: StateKey): { readonly type: string; readonly stateKey: string } {
  const at = key.indexOf(SEPARATOR);
  return { type: key.slice(0, at), stateKey: key.slice(at + 1) };
}
