// What an event refers to: the auth events of interest, and m.room.create where the room ID implies it.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { ResolutionDeps } from './resolution.ts';

/** The auth event of a type, with an empty state key; the first one listed. */
function citedEvent(event: Pdu, type: string, deps: ResolutionDeps): Pdu | undefined {
  for (const id of event.authEvents) {
    const authEvent = deps.event(id);
    if (authEvent.type === type && authEvent.stateKey === '') return authEvent;
  }
  return undefined;
}

export function citedPowerLevels(event: Pdu, deps: ResolutionDeps): Pdu | undefined {
  return citedEvent(event, 'm.room.power_levels', deps);
}

export function citedCreate(event: Pdu, deps: ResolutionDeps): Pdu | undefined {
  return impliedCreate(event, deps) ?? citedEvent(event, 'm.room.create', deps);
}

/** The m.room.create event whose id is the room ID, in room versions where it is; `undefined` in others. */
export function impliedCreate(event: Pdu, deps: ResolutionDeps): Pdu | undefined {
  if (!deps.rules.roomIdIsCreateEventId) return undefined;
  return deps.event(`$${event.roomId.slice(1)}` as EventId);
}
