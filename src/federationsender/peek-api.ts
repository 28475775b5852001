// Peeking over federation (MSC2444), as the federationsender does it: both directions, for the roomserver and
// federationapi.

import type { RoomId, ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';

export interface PeekApi {
  // --- our looks into others' rooms, for the roomserver ------------------------------------------------

  /**
   * Asks the servers in turn until one lets us look: its answer, unchecked. The subscription is pending until the entry
   * `NewOutboundPeek` is consumed, and taken back by `performCancelOutboundPeek` or at the next start. Errors: those of
   * the last server where they are M_FORBIDDEN, M_NOT_FOUND, M_INCOMPATIBLE_ROOM_VERSION or M_LIMIT_EXCEEDED;
   * M_NOT_FOUND without servers; M_UNKNOWN, as a gateway, where none could be reached or answered.
   */
  performOutboundPeek(request: {
    readonly roomId: RoomId;
    readonly servers: readonly ServerName[];
    /** That we know. */
    readonly roomVersions: readonly RoomVersionId[];
  }): Promise<{ server: ServerName; peekId: string; answer: JsonObject }>;
  /** Takes a pending one back: told to the server as soon as it can be. */
  performCancelOutboundPeek(request: OutboundPeekKey): Promise<void>;

  // --- others' looks into our rooms, for federationapi -------------------------------------------------

  /** Whether the server holds such a peek. */
  queryInboundPeek(request: InboundPeekKey): Promise<{ isActive: boolean }>;
  /** Throws M_LIMIT_EXCEEDED where one more would be too many for the server or the room. */
  checkInboundPeekLimits(request: InboundPeekKey): Promise<void>;
  /** The server says that it has ended these peeks of ours. Those that we do not hold through it are passed over. */
  noteExpiredPeeks(request: {
    readonly server: ServerName;
    readonly peeks: readonly { readonly roomId: RoomId; readonly peekId: string }[];
  }): Promise<void>;
  /** Until `roomserver.output` has been consumed up to there; false when that takes longer than a few seconds. */
  waitForRooms(request: { readonly position: number }): Promise<boolean>;
}

export interface OutboundPeekKey {
  readonly roomId: RoomId;
  /** Through which we look. */
  readonly server: ServerName;
  readonly peekId: string;
}

export interface InboundPeekKey {
  /** That looks. */
  readonly server: ServerName;
  readonly roomId: RoomId;
  readonly peekId: string;
}
