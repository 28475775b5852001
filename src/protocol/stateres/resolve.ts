// State resolution of a room version (Room Versions, "State resolution"): many states become one.

import { authDifference } from './auth-difference.ts';
import type { ResolutionDeps, ResolutionInput } from './resolution.ts';
import { separateConflicts } from './separate-conflicts.ts';
import type { StateMap } from './state-key.ts';
import { resolveV1 } from './v1.ts';
import { resolveV2 } from './v2.ts';

/**
 * The resolved event id of each key that is conflicted or came in by resolution. A conflicted key that is
 * absent has no event; every other absent key keeps its unconflicted value. The order of input has no
 * influence.
 */
export function resolveState(input: ResolutionInput): StateMap {
  return input.rules.stateResolution === 'v1' ? resolveV1(input) : resolveV2(input);
}

/** Convenience for whole maps: separates, computes the auth difference, resolves, merges. */
export function resolveStateMaps(maps: readonly StateMap[], deps: ResolutionDeps): StateMap {
  const { unconflicted, conflicted } = separateConflicts(maps);
  if (conflicted.size === 0) return unconflicted;
  const isV1 = deps.rules.stateResolution === 'v1';
  const resolved = resolveState({
    ...deps,
    unconflicted: (key) => unconflicted.get(key),
    conflicted,
    authDifference: isV1 ? new Set() : authDifference(maps, deps.event),
  });
  return new Map([...unconflicted, ...resolved]);
}
