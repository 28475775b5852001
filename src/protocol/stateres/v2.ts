// The algorithm of room versions 2 to 11 (v2) and 12 (v2.1): the steps of "Algorithm".

import type { EventId } from '../identifiers.ts';
import { fullConflictedSet } from './full-conflicted-set.ts';
import { applyAllowed } from './iterative-auth-checks.ts';
import { mainlineOrdering } from './mainline-ordering.ts';
import { selectPowerEvents } from './power-events.ts';
import type { ResolutionInput } from './resolution.ts';
import { reverseTopologicalPowerOrdering } from './reverse-topological-power-ordering.ts';
import { type StateKey, type StateMap, stateKeyOf } from './state-key.ts';

export function resolveV2(input: ResolutionInput): StateMap {
  const conflicted = fullConflictedSet(input);
  const state = initialState(input);

  // 1. Select the power events of the full conflicted set, and what of it they depend on, and sort them.
  const powerEvents = selectPowerEvents(conflicted);
  const ordered = reverseTopologicalPowerOrdering(powerEvents, input);

  // 2. Apply them, to get a partially resolved state.
  applyAllowed(state, ordered, input);

  // 3. Order the remaining events by the mainline of the power levels in that state.
  const remaining = [...conflicted.values()].filter(({ eventId }) => !powerEvents.has(eventId));
  const powerLevels = state.get(stateKeyOf('m.room.power_levels', ''));
  const mainline = powerLevels === undefined ? undefined : input.event(powerLevels);

  // 4. Apply them.
  applyAllowed(state, mainlineOrdering(remaining, mainline, input), input);

  // 5. What is unconflicted stays as it was.
  for (const key of state.applied.keys()) {
    if (input.unconflicted(key) !== undefined) state.applied.delete(key);
  }
  return state.applied;
}

/** Empty in v2.1, the unconflicted state map in v2, which is not copied: what is applied lies on top. */
function initialState({ rules, unconflicted }: ResolutionInput) {
  const applied = new Map<StateKey, EventId>();
  const isEmpty = rules.stateResolution === 'v2.1';
  return {
    applied,
    get: (key: StateKey) => applied.get(key) ?? (isEmpty ? undefined : unconflicted(key)),
    set: (key: StateKey, id: EventId) => applied.set(key, id),
  };
}
