// Definition "Mainline ordering": events whose power levels go back further come first. Each power level
// event is walked over once, whatever the number of events and the length of their chains.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { citedPowerLevels } from './cited-events.ts';
import { compareAge } from './event-order.ts';
import type { ResolutionDeps } from './resolution.ts';

/** `powerLevels` is the event P, `undefined` when the room has no power levels: all are then equal. */
export function mainlineOrdering(
  events: Iterable<Pdu>,
  powerLevels: Pdu | undefined,
  deps: ResolutionDeps,
): Pdu[] {
  const positions = mainlineOf(powerLevels, deps);
  return [...events]
    .map((event) => ({ event, position: mainlinePosition(event, positions, deps) }))
    .sort((x, y) => comparePositions(x.position, y.position) || compareAge(x.event, y.event))
    .map(({ event }) => event);
}

/** The position i of each P(i): 0 for P itself, 1 for the power levels in its auth events, and so on. */
function mainlineOf(powerLevels: Pdu | undefined, deps: ResolutionDeps): Map<EventId, number> {
  const positions = new Map<EventId, number>();
  for (let event = powerLevels; event !== undefined; event = citedPowerLevels(event, deps)) {
    if (positions.has(event.eventId)) break;
    positions.set(event.eventId, positions.size);
  }
  return positions;
}

/** Remembers in `positions` the position of all power levels on the way; Infinity when none is on the mainline. */
function mainlinePosition(
  event: Pdu,
  positions: Map<EventId, number>,
  deps: ResolutionDeps,
): number {
  const way = new Set<EventId>();
  let levels = citedPowerLevels(event, deps);
  while (levels !== undefined && !positions.has(levels.eventId) && !way.has(levels.eventId)) {
    way.add(levels.eventId);
    levels = citedPowerLevels(levels, deps);
  }
  const known = levels === undefined ? undefined : positions.get(levels.eventId);
  const position = known ?? Number.POSITIVE_INFINITY;
  for (const id of way) positions.set(id, position);
  return position;
}

/** The greater position first; Infinity must not be subtracted from itself. */
function comparePositions(x: number, y: number): number {
  return x === y ? 0 : y - x;
}
