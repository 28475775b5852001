// Auth difference: the events that are in some but not in every full auth chain of the state sets.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { StateMap } from './resolve.ts';

export function authDifference(
  _maps: readonly StateMap[],
  _event: (id: EventId) => Pdu,
): Set<EventId> {
  throw new Error('not written yet');
}
