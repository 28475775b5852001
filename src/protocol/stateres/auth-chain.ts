// Walks along auth events, without recursion: auth chains are as long as a hostile server likes, and in
// room versions 1 and 2, whose event ids are made up, they can even run in circles.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';

/** The given events and everything that is reachable from them by auth events. */
export function withAuthChain(start: Iterable<EventId>, event: (id: EventId) => Pdu): Set<EventId> {
  const found = new Set<EventId>();
  const pending = [...start];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...event(id).authEvents);
  }
  return found;
}
