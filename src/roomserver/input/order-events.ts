// Puts events in an order in which none comes before what it refers to.

import type { EventId } from '../../protocol/identifiers.ts';
import type { CheckedEvent } from './checked-event.ts';

/**
 * Without recursion, since chains are as long as strangers like. Those that refer to each other in circles (which
 * made-up ids of room versions 1 and 2 allow) come in the order given.
 */
export function orderByReferences(
  events: readonly CheckedEvent[],
  references: (event: CheckedEvent) => readonly EventId[],
): CheckedEvent[] {
  const byId = new Map(events.map((event) => [event.pdu.eventId, event]));
  const state = new Map<EventId, 'open' | 'done'>();
  const ordered: CheckedEvent[] = [];
  for (const start of byId.values()) {
    const path = [start];
    for (let event = path.at(-1); event !== undefined; event = path.at(-1)) {
      const { eventId } = event.pdu;
      const isOpen = state.has(eventId);
      state.set(eventId, state.get(eventId) ?? 'open');
      const before = isOpen ? [] : references(event).flatMap((id) => byId.get(id) ?? []);
      const next = before.filter(({ pdu }) => !state.has(pdu.eventId));
      if (next.length > 0) {
        path.push(...next);
        continue;
      }
      path.pop();
      if (state.get(eventId) === 'open') ordered.push(event);
      state.set(eventId, 'done');
    }
  }
  return ordered;
}
