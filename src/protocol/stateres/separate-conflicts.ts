// Definition "Unconflicted state map and conflicted state set": a key is unconflicted when it is in every
// state map with the same value. (Version 1 takes it that a key is also unconflicted when some maps lack it;
// the difference is in v1.ts.)

import type { EventId } from '../identifiers.ts';
import type { StateKey, StateMap } from './state-key.ts';

export interface SeparatedState {
  readonly unconflicted: StateMap;
  /** The distinct event ids of each key. */
  readonly conflicted: ReadonlyMap<StateKey, readonly EventId[]>;
}

export function separateConflicts(maps: readonly StateMap[]): SeparatedState {
  const unconflicted = new Map<StateKey, EventId>();
  const conflicted = new Map<StateKey, readonly EventId[]>();
  for (const key of new Set(maps.flatMap((map) => [...map.keys()]))) {
    const ids = maps.map((map) => map.get(key));
    const [first] = ids;
    if (first !== undefined && ids.every((id) => id === first)) unconflicted.set(key, first);
    else conflicted.set(key, [...new Set(ids.filter((id) => id !== undefined))]);
  }
  return { unconflicted, conflicted };
}
