// Definition "Conflicted state subgraph" (v2.1): every event on a path along auth events from one event of
// the conflicted state set to another, ends included.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { withAuthChain } from './auth-chain.ts';

export function conflictedStateSubgraph(
  conflicted: ReadonlySet<EventId>,
  event: (id: EventId) => Pdu,
): Set<EventId> {
  const below = withAuthChain(conflicted, event);
  const citedBy = invert(below, event);
  // On a path = below a conflicted event and above one.
  const subgraph = new Set<EventId>();
  const pending = [...conflicted];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (subgraph.has(id)) continue;
    subgraph.add(id);
    for (const citing of citedBy.get(id) ?? []) pending.push(citing);
  }
  return subgraph;
}

/** For each event those of the set that list it among their auth events. */
function invert(
  ids: ReadonlySet<EventId>,
  event: (id: EventId) => Pdu,
): ReadonlyMap<EventId, readonly EventId[]> {
  const citedBy = new Map<EventId, EventId[]>();
  for (const id of ids) {
    for (const authId of event(id).authEvents) {
      const citing = citedBy.get(authId);
      if (citing) citing.push(id);
      else citedBy.set(authId, [id]);
    }
  }
  return citedBy;
}
