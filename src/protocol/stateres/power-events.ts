// Definition "Power events", and the set X of the algorithm's first step.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';

/**
 * Events that might remove someone's ability to do something in the room. Power levels and join rules with a
 * state key of their own have no such power, and no homeserver counts them, though the text does not say so.
 */
export function isPowerEvent(event: Pdu): boolean {
  switch (event.type) {
    case 'm.room.power_levels':
    case 'm.room.join_rules':
      return event.stateKey === '';
    case 'm.room.member':
      return isRemoval(event) && event.sender !== event.stateKey;
    default:
      return false;
  }
}

function isRemoval({ membership }: Pdu): boolean {
  return membership === 'leave' || membership === 'ban';
}

/**
 * The power events of the full conflicted set, with the events of their auth chains that are in it. Chains
 * are followed within the set only, as every homeserver does: in v2 a path can leave the set and come back to
 * an old event that is conflicted once more, which is the flaw that the subgraph of v2.1 mends.
 */
export function selectPowerEvents(
  fullConflictedSet: ReadonlyMap<EventId, Pdu>,
): ReadonlyMap<EventId, Pdu> {
  const selected = new Map<EventId, Pdu>();
  const pending = [...fullConflictedSet.values()].filter(isPowerEvent);
  for (let event = pending.pop(); event !== undefined; event = pending.pop()) {
    if (selected.has(event.eventId)) continue;
    selected.set(event.eventId, event);
    for (const id of event.authEvents) {
      const authEvent = fullConflictedSet.get(id);
      if (authEvent !== undefined) pending.push(authEvent);
    }
  }
  return selected;
}
