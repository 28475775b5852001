// The federationsender: what goes to other servers. It sends what the event log says, in order and for as long as it
// takes, and does for the roomserver what needs another server's answer now. Plain data in, plain data out; failures are
// MatrixErrors.

import type { PduJson, PduRecord } from '../protocol/events/pdu.ts';
import type { RoomAlias, RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { PeekApi } from './peek-api.ts';

export type Handshake = 'join' | 'leave' | 'knock';

export interface FederationsenderApi extends PeekApi {
  // --- handshakes, for the roomserver ----------------------------------------------------------------

  /**
   * make_join, make_leave, make_knock: asks the servers in turn until one gives a template. Errors: what the last one
   * said, where it is M_FORBIDDEN, M_NOT_FOUND, M_INCOMPATIBLE_ROOM_VERSION (with `room_version`), M_UNABLE_TO_AUTHORISE_JOIN,
   * M_UNABLE_TO_GRANT_JOIN; M_NOT_FOUND without servers; M_UNKNOWN with status 502 when none could be reached.
   */
  performMakeHandshake(request: {
    readonly handshake: Handshake;
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly servers: readonly ServerName[];
    /** That we know. */
    readonly roomVersions: readonly RoomVersionId[];
  }): Promise<{ server: ServerName; roomVersion: RoomVersionId; event: JsonObject }>;
  /** send_join v2, else v1. Nothing in the answer is checked but its shape. Errors as above. */
  performSendJoin(request: HandshakeEvent): Promise<SendJoinAnswer>;
  /** send_leave v2, else v1. */
  performSendLeave(request: HandshakeEvent): Promise<void>;
  performSendKnock(request: HandshakeEvent): Promise<{ strippedState: JsonObject[] }>;
  /**
   * Sends an event in a transaction of its own, and resolves when the server has accepted it. Errors: M_FORBIDDEN when it
   * has not, within seconds; else as above.
   */
  performOfferEvent(request: HandshakeEvent): Promise<void>;
  /** invite v2, else v1: returns the event with the invited server's signature, unchecked. */
  performSendInvite(request: {
    readonly server: ServerName;
    readonly roomVersion: RoomVersionId;
    readonly event: PduRecord;
    readonly strippedState: readonly JsonObject[];
  }): Promise<{ event: JsonObject }>;
  /** Errors: M_NOT_FOUND. */
  queryRemoteAlias(request: {
    readonly alias: RoomAlias;
  }): Promise<{ roomId: RoomId; servers: ServerName[] }>;

  // --- for federationapi -----------------------------------------------------------------------------

  /** A validly signed request came from the server: it is there, and what waits for it may be tried at once. */
  noteServerAlive(request: { readonly server: ServerName }): Promise<void>;
}

export interface HandshakeEvent {
  readonly server: ServerName;
  readonly roomId: RoomId;
  readonly roomVersion: RoomVersionId;
  readonly event: PduRecord;
}

export interface SendJoinAnswer {
  readonly state: readonly PduJson[];
  readonly authChain: readonly PduJson[];
  /** The join event with further signatures, where the server gave it. */
  readonly event?: PduJson;
  readonly membersOmitted: boolean;
  readonly serversInRoom: readonly ServerName[];
}
