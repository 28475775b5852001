// Seam to other servers' events: called where the receive pipeline lacks what an event refers to.

import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface MissingEventsRequest {
  readonly roomId: RoomId;
  /** The server that sent the event that refers to them. */
  readonly origin: ServerName;
  readonly eventIds: readonly EventId[];
  /** The events that are here, or about to be, with what they refer to. */
  readonly references: ReadonlyMap<EventId, readonly EventId[]>;
  /** When whoever waits has waited long enough, in ms since the epoch. */
  readonly endsAt: number;
}

export interface GapRequest extends MissingEventsRequest {
  readonly knownExtremities: readonly EventId[];
  /** The origin does not know the events that refer to them yet. */
  readonly isUnsent: boolean;
}

/** The events between our extremities and those that have come, as far as they could be had. */
export interface Gap {
  readonly events: readonly PduRecord[];
  /** Who sent the event has given all that it has, or there is more than can be asked for: asking again is in vain. */
  readonly isFinal: boolean;
}

export interface StateBefore {
  /** The whole state. */
  readonly stateIds: readonly EventId[];
  /** Those of the state and their auth chains, and the event itself where it is wanted, as far as they may be unknown here. */
  readonly events: readonly PduRecord[];
}

export interface StateBeforeRequest {
  readonly roomId: RoomId;
  readonly origin: ServerName;
  readonly eventId: EventId;
  /** The event is not here. */
  readonly withEvent: boolean;
  /** It will not be asked for again: whatever can be had is better than nothing. */
  readonly isLast: boolean;
  readonly endsAt: number;
}

/** Nothing that is returned has been checked. Never throws. */
export interface MissingEvents {
  /** In any order. */
  gap(request: GapRequest): Promise<Gap>;
  /** Auth events, and auth events of theirs, in any order: as many as could be had. */
  authEvents(request: MissingEventsRequest): Promise<readonly PduRecord[]>;
  /** The state before an event that history here has a gap before. */
  stateBefore(request: StateBeforeRequest): Promise<StateBefore | undefined>;
}

/** Nothing can be had: what lacks its references is dropped. */
export const noMissingEvents: MissingEvents = {
  gap: async () => ({ events: [], isFinal: true }),
  authEvents: async () => [],
  stateBefore: async () => undefined,
};
