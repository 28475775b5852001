// What the roomserver does for other servers. Asked by federationapi, which has verified who asks (`origin`).
// Everywhere: M_NOT_FOUND for rooms in which no local user is, M_FORBIDDEN where the room's server ACL denies the
// origin or the room may not be seen by it.

import type { PduJson } from '../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { SpaceRoom } from './api.ts';

export interface ServingApi {
  // --- receiving -------------------------------------------------------------------------------------

  /**
   * The PDUs of `PUT /send`: staged durably when this resolves, and received in the background, across restarts. Repeating
   * a transaction has no second effect. One result per event, by its id; an error says why it was not staged.
   */
  performReceivePdus(request: {
    readonly origin: ServerName;
    readonly transactionId: string;
    readonly pdus: readonly JsonObject[];
  }): Promise<{ results: Readonly<Record<EventId, { readonly error?: string }>> }>;

  // --- handshakes ------------------------------------------------------------------------------------

  /** Errors also: M_INCOMPATIBLE_ROOM_VERSION with `room_version`, M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN. */
  performMakeMembership(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly membership: 'join' | 'leave' | 'knock';
    /** That the other server knows. */
    readonly roomVersions: readonly string[];
  }): Promise<{ roomVersion: RoomVersionId; event: JsonObject }>;
  /**
   * send_join, send_leave, send_knock: receives the event, which must be its sender's own. Errors also: M_BAD_JSON for what
   * has not the form of an event, M_INVALID_PARAM for another event than that of the path, or than the handshake is for.
   */
  performAcceptMembership(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    /** As the path has it: any text. */
    readonly eventId: string;
    readonly membership: 'join' | 'leave' | 'knock';
    readonly event: JsonObject;
  }): Promise<{
    /** With our signature, where a restricted join needs it. */
    event: PduJson;
    /** For joins: the state before the event, and its auth chain. */
    state: readonly PduJson[];
    authChain: readonly PduJson[];
    /** For knocks. */
    strippedState: readonly JsonObject[];
  }>;
  /** A local user is invited: signs, stores and tells her of it. */
  performAcceptInvite(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    /** As the path has it: any text. */
    readonly eventId: string;
    readonly roomVersion: string;
    readonly event: JsonObject;
    readonly strippedState: readonly JsonObject[];
  }): Promise<{ event: PduJson }>;

  // --- reading ---------------------------------------------------------------------------------------

  /** To servers outside of the room: what was world-readable, and the state that is current now. Errors: M_FORBIDDEN. */
  queryEventFor(request: {
    readonly origin: ServerName;
    readonly eventId: EventId;
  }): Promise<{ event: PduJson }>;
  /** The state before the event, with its auth chain. */
  queryStateFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  }): Promise<{ state: readonly PduJson[]; authChain: readonly PduJson[] }>;
  queryStateIdsFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  }): Promise<{ stateIds: readonly EventId[]; authChainIds: readonly EventId[] }>;
  queryEventAuthFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  }): Promise<{ authChain: readonly PduJson[] }>;
  /** The given events and what comes before them, newest first, at most `limit`. */
  queryBackfillFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly from: readonly EventId[];
    readonly limit: number;
  }): Promise<{ events: readonly PduJson[] }>;
  queryMissingEventsFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly earliest: readonly EventId[];
    readonly latest: readonly EventId[];
    readonly limit: number;
    readonly minDepth: number;
  }): Promise<{ events: readonly PduJson[] }>;
  /** What describes the room, and its newest messages, oldest first. Errors also: M_FORBIDDEN for encrypted rooms. */
  queryPreviewFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    /** Of messages. */
    readonly limit: number;
  }): Promise<{
    roomVersion: RoomVersionId;
    state: readonly PduJson[];
    messages: readonly PduJson[];
  }>;
  /** Errors: M_NOT_FOUND where there is none. */
  queryTimestampToEventFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    /** ms since the epoch. */
    readonly ts: number;
    readonly dir: 'f' | 'b';
  }): Promise<{ eventId: EventId; originServerTs: number }>;
  /**
   * Of a space the children that are here too, which the server may or may not know of. M_NOT_FOUND where it may not know of
   * the space itself.
   */
  querySpaceFor(request: {
    readonly origin: ServerName;
    readonly roomId: RoomId;
    readonly suggestedOnly: boolean;
  }): Promise<{
    room: SpaceRoom;
    children: readonly SpaceRoom[];
    inaccessibleChildren: readonly RoomId[];
  }>;
  /** Throws M_FORBIDDEN where the ACL of the room denies the server; nothing for rooms that are not known. */
  checkServerAcl(request: { readonly origin: ServerName; readonly roomId: RoomId }): Promise<void>;
}

/** The half that changes nothing. */
export type ReadingApi = Pick<
  ServingApi,
  | 'queryEventFor'
  | 'queryStateFor'
  | 'queryStateIdsFor'
  | 'queryEventAuthFor'
  | 'queryBackfillFor'
  | 'queryMissingEventsFor'
  | 'queryPreviewFor'
  | 'queryTimestampToEventFor'
  | 'checkServerAcl'
>;
