// Definition "Auth difference": the events that are in some but not in every full auth chain of the state
// sets. The full auth chain is taken to hold the events of the state set themselves, as other homeservers
// have it: what stands in every state set is thus never part of the difference.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { withAuthChain } from './auth-chain.ts';
import type { StateMap } from './state-key.ts';

/** May also hold events of the conflicted state set that are in every chain: that set is united with it anyway. */
export function authDifference(
  maps: readonly StateMap[],
  event: (id: EventId) => Pdu,
): Set<EventId> {
  const sets = maps.map((map) => new Set(map.values()));
  const inEvery = intersectionOf(sets);
  const differing = sets.map((set) => set.difference(inEvery));
  const chains = differing.map((set) => withAuthChain(set, event));
  const difference = unionOf(chains).difference(intersectionOf(chains));
  // The rest of the state, which may be large, matters only where the difference goes beyond the conflicts.
  const isPlain = difference.isSubsetOf(unionOf(differing));
  return isPlain ? difference : difference.difference(withAuthChain(inEvery, event));
}

function unionOf(sets: readonly ReadonlySet<EventId>[]): Set<EventId> {
  return new Set(sets.flatMap((set) => [...set]));
}

function intersectionOf(sets: readonly ReadonlySet<EventId>[]): Set<EventId> {
  const [first = new Set(), ...others] = sets;
  return others.reduce<Set<EventId>>((common, set) => common.intersection(set), new Set(first));
}
