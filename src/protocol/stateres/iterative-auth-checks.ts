// Definition "Iterative auth checks": applies one event after the other, where the rules allow it in the
// state reached so far.

import { authorizeAgainstState } from '../auth/authorize.ts';
import type { StateLookup } from '../auth/state-lookup.ts';
import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { impliedCreate } from './cited-events.ts';
import type { ResolutionDeps } from './resolution.ts';
import { type StateKey, stateKeyOf } from './state-key.ts';

/** A state in the making. */
export interface PartialState {
  get(key: StateKey): EventId | undefined;
  set(key: StateKey, id: EventId): unknown;
}

/** Changes `state`. `events` are in the order in which they are to be applied. */
export function applyAllowed(
  state: PartialState,
  events: readonly Pdu[],
  deps: ResolutionDeps,
): void {
  for (const event of events) {
    if (event.stateKey === undefined || !isAllowed(event, stateFor(event, state, deps), deps)) {
      continue;
    }
    state.set(stateKeyOf(event.type, event.stateKey), event.eventId);
  }
}

export function isAllowed(event: Pdu, state: StateLookup, deps: ResolutionDeps): boolean {
  const create = impliedCreate(event, deps);
  const context = {
    rules: deps.rules,
    create: create === undefined || deps.isRejected(create.eventId) ? undefined : create,
    // Signatures do not depend on state: the event was not taken in without them.
    isSignedBy: () => true,
  };
  return authorizeAgainstState(event, state, context).allowed;
}

/** The state reached; where it lacks a key, the event's own auth event, unless that was rejected. */
function stateFor(event: Pdu, state: PartialState, deps: ResolutionDeps): StateLookup {
  const authEvents = new Map<StateKey, Pdu>();
  for (const id of event.authEvents) {
    const authEvent = deps.event(id);
    if (authEvent.stateKey === undefined || deps.isRejected(id)) continue;
    authEvents.set(stateKeyOf(authEvent.type, authEvent.stateKey), authEvent);
  }
  return (type, stateKey) => {
    const key = stateKeyOf(type, stateKey);
    const id = state.get(key);
    return id === undefined ? authEvents.get(key) : deps.event(id);
  };
}
