// State resolution of a room version (Room Versions, "State resolution"): many states become one.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import type { StateKey } from './state-key.ts';

export type StateMap = ReadonlyMap<StateKey, EventId>;

export interface ResolutionInput {
  readonly rules: RoomVersionRules;
  /** Value in the unconflicted state map. */
  readonly unconflicted: (key: StateKey) => EventId | undefined;
  /** For each conflicted key the distinct event ids it has in the state sets. */
  readonly conflicted: ReadonlyMap<StateKey, readonly EventId[]>;
  /** Events in some but not all full auth chains of the state sets (v2); empty set for v1. */
  readonly authDifference: ReadonlySet<EventId>;
  /** Must know every event reachable by auth events from the above, and m.room.create; throws otherwise. */
  readonly event: (id: EventId) => Pdu;
  readonly isRejected: (id: EventId) => boolean;
}

export interface ResolutionDeps {
  readonly rules: RoomVersionRules;
  readonly event: (id: EventId) => Pdu;
  readonly isRejected: (id: EventId) => boolean;
}

/**
 * The resolved event id of each key that is conflicted or touched by resolution. A conflicted key that is
 * absent has no event; every other absent key keeps its unconflicted value.
 */
export function resolveState(_input: ResolutionInput): StateMap {
  throw new Error('not written yet');
}

/** Convenience for whole maps: separates, computes the auth difference, resolves, merges. */
export function resolveStateMaps(_maps: readonly StateMap[], _deps: ResolutionDeps): StateMap {
  throw new Error('not written yet');
}
