// Definition "Full conflicted set": the conflicted state set, the auth difference and, since v2.1, the
// conflicted state subgraph.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { conflictedStateSubgraph } from './conflicted-state-subgraph.ts';
import type { ResolutionInput } from './resolution.ts';

export function fullConflictedSet(input: ResolutionInput): ReadonlyMap<EventId, Pdu> {
  const conflicted = new Set([...input.conflicted.values()].flat());
  const ids = conflicted.union(input.authDifference);
  const all =
    input.rules.stateResolution === 'v2.1'
      ? ids.union(conflictedStateSubgraph(conflicted, input.event))
      : ids;
  const events = [...all].map((id) => input.event(id));
  return new Map(events.filter((event) => event.isState).map((event) => [event.eventId, event]));
}
