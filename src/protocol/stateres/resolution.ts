// What state resolution is given.

import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import type { StateKey } from './state-key.ts';

export interface ResolutionDeps {
  readonly rules: RoomVersionRules;
  /** Must know every event reachable by auth events, and m.room.create; throws otherwise. */
  readonly event: (id: EventId) => Pdu;
  /** Whether the event was rejected on receipt: such auth events authorize nothing. */
  readonly isRejected: (id: EventId) => boolean;
}

export interface ResolutionInput extends ResolutionDeps {
  /** Value in the unconflicted state map. */
  readonly unconflicted: (key: StateKey) => EventId | undefined;
  /** For each conflicted key the distinct event ids it has in the state sets. */
  readonly conflicted: ReadonlyMap<StateKey, readonly EventId[]>;
  /**
   * Events in some but not all full auth chains of the state sets (v2; see auth-difference.ts for what
   * counts as the full auth chain); empty set for v1.
   */
  readonly authDifference: ReadonlySet<EventId>;
}
