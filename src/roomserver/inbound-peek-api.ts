// Other servers that look into our rooms (MSC2444). Asked by federationapi, which has verified who asks. All of it goes
// through the log: the entry's place there is the cut between the snapshot and what is relayed.

import type { PduRecord } from '../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName } from '../protocol/identifiers.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';

export interface InboundPeekApi {
  /**
   * A snapshot of the room, with the cut after it at `position` of `roomserver.output`. Errors: M_NOT_FOUND for rooms in
   * which no local user is, M_FORBIDDEN for those that are not open to everybody, encrypted, not federated or closed to
   * that server, M_INCOMPATIBLE_ROOM_VERSION with `room_version`.
   */
  performInboundPeek(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly peekId: string;
    /** That the other server knows; absent: it did not say. */
    readonly roomVersions: readonly string[] | undefined;
    /** ms since the epoch. */
    readonly expiryTs: number;
  }): Promise<{ position: number; snapshot: PeekSnapshot }>;
  /** A later deadline for a peek that there is; whether there is one is the federationsender's to know. Errors as above. */
  performRenewInboundPeek(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly peekId: string;
    /** ms since the epoch. */
    readonly expiryTs: number;
  }): Promise<{ position: number }>;
  performEndInboundPeek(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly peekId: string;
  }): Promise<{ position: number }>;
}

export interface PeekSnapshot {
  readonly roomVersion: RoomVersionId;
  /** For each forward extremity the state after it, without what is common to all. */
  readonly latestEventStateIds: Readonly<Record<EventId, readonly EventId[]>>;
  readonly commonStateIds: readonly EventId[];
  /** The extremities and the events of their states, with auth chains. */
  readonly events: readonly PduRecord[];
  /** The states resolved. */
  readonly currentStateIds: readonly EventId[];
}
