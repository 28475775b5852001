// Seam to other servers' events: called where the receive pipeline lacks what an event refers to.

import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface MissingEventsRequest {
  readonly roomId: RoomId;
  /** The server that sent the event that refers to them. */
  readonly origin: ServerName;
  readonly eventIds: readonly EventId[];
  /** `auth`: auth events, which become outliers. `prev`: the gap between our extremities and the event. */
  readonly kind: 'auth' | 'prev';
  readonly knownExtremities: readonly EventId[];
}

export interface MissingEvents {
  /** What could be had, unverified and in any order. Never throws. */
  fetch(request: MissingEventsRequest): Promise<readonly PduRecord[]>;
}

/** Nothing can be had: what lacks its references is dropped. */
export const noMissingEvents: MissingEvents = { fetch: async () => [] };
