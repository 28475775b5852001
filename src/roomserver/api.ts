// The roomserver: decides what is accepted into a room, and knows what every room's state is and was.
// Plain data in, plain data out; failures are MatrixErrors.

import type { StateSnapshotId } from '../eventlog/entries.ts';
import type { PduRecord } from '../protocol/events/pdu.ts';
import type {
  DeviceId,
  EventId,
  RoomAlias,
  RoomId,
  ServerName,
  UserId,
} from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { HistoryVisibility } from '../protocol/visibility.ts';
import type { InboundPeekApi } from './inbound-peek-api.ts';
import type { ServingApi } from './serving-api.ts';

/** Position in `roomserver.output` that carries a change: wait for it at the syncserver before answering. */
export interface Written {
  readonly position: number;
}

export interface RoomserverApi extends InboundPeekApi, ServingApi {
  // --- changing rooms: everything a local user does --------------------------------------------------

  /**
   * Client-Server API, "POST /createRoom": all at once or nothing. Errors: M_UNSUPPORTED_ROOM_VERSION, M_ROOM_IN_USE,
   * M_INVALID_ROOM_STATE with the rule, M_BAD_JSON, M_INVALID_PARAM or M_BAD_ALIAS for aliases, M_TOO_LARGE.
   * Users of other servers are invited once the room is there: whom their servers do not answer for is left out.
   */
  performCreateRoom(
    request: CreateRoomRequest,
  ): Promise<Written & { roomId: RoomId; roomAlias?: RoomAlias }>;
  /**
   * Client-Server API, "POST /upgrade". Errors: M_UNSUPPORTED_ROOM_VERSION, M_NOT_FOUND, M_FORBIDDEN,
   * M_INVALID_ROOM_STATE where the new version does not allow what the old room has.
   */
  performUpgradeRoom(request: {
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly newVersion: string;
    /** Heeded where the new version knows such. */
    readonly additionalCreators: readonly UserId[];
    /** displayname and avatar_url of the user. */
    readonly profile: JsonObject;
  }): Promise<Written & { replacementRoom: RoomId }>;
  /**
   * The user has come into the room. `predecessor`: the one that it has replaced, where she has been; aliases of this server and
   * the place in its room list are moved.
   */
  performFollowUpgrade(request: {
    readonly roomId: RoomId;
    readonly userId: UserId;
  }): Promise<{ predecessor?: RoomId }>;
  /**
   * Sends an event of any kind. With a `transaction` already seen from that device, answers the first event again.
   * Redactions give `redacts`. Errors: M_FORBIDDEN with the rule, M_NOT_FOUND, M_TOO_LARGE, what the room's policy server says
   * (any errcode), and M_UNKNOWN (502) where that does not answer. So has everything else that a user does in a room.
   */
  performSendEvent(request: SendEventRequest): Promise<Written & { eventId: EventId }>;
  /** Join by id or alias. Joining when joined is no error. Errors: M_FORBIDDEN, M_NOT_FOUND, M_UNABLE_TO_AUTHORISE_JOIN. */
  performJoin(request: {
    readonly roomIdOrAlias: string;
    readonly userId: UserId;
    readonly isGuest?: boolean;
    readonly serverNames: readonly ServerName[];
    /** Goes into the member event besides `membership`: displayname, avatar_url, reason … */
    readonly content: JsonObject;
    /** Signed third-party invite. */
    readonly thirdPartySigned?: JsonObject;
  }): Promise<Written & { roomId: RoomId }>;
  performKnock(request: {
    readonly roomIdOrAlias: string;
    readonly userId: UserId;
    readonly serverNames: readonly ServerName[];
    readonly content: JsonObject;
  }): Promise<Written & { roomId: RoomId }>;
  /** Invite, leave (reject, take back a knock), kick, ban, unban: `membership` of `target` as `sender` wants it. */
  performMembershipChange(request: {
    readonly roomId: RoomId;
    readonly sender: UserId;
    readonly target: UserId;
    readonly action: 'invite' | 'leave' | 'kick' | 'ban' | 'unban';
    readonly content: JsonObject;
  }): Promise<Written>;
  /** Errors: M_UNKNOWN (400) while the user is still in the room. */
  performForget(request: { readonly roomId: RoomId; readonly userId: UserId }): Promise<Written>;
  /**
   * Local members are made to leave, then the room is unknown, its aliases are free, and what is stored of it is deleted
   * bit by bit. Errors: M_NOT_FOUND.
   */
  performPurge(request: { readonly roomId: RoomId }): Promise<Written>;

  // --- peeking ---------------------------------------------------------------------------------------

  /**
   * MSC2753: checks that the room exists (M_NOT_FOUND), is world_readable and not encrypted (M_FORBIDDEN) and that
   * the user has not joined it (M_BAD_STATE; only for `via: 'sync'`), then appends `NewPeek`. Also renews. Into rooms of
   * others it looks through one of their servers: M_UNKNOWN (502) when none can be reached.
   */
  performPeek(request: {
    readonly roomIdOrAlias: string;
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly serverNames: readonly ServerName[];
    readonly via: 'sync' | 'events';
    /** The device looks already: then it goes on, though nobody can be reached just now. */
    readonly isRenewal?: boolean;
  }): Promise<Written & { roomId: RoomId; expiryTs: number }>;
  /** Appends `RetirePeek`. That there is such a peek is the syncserver's to know: ask it first. */
  performUnpeek(request: {
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly via: 'sync' | 'events';
  }): Promise<Written>;

  // --- aliases and the published room list -----------------------------------------------------------

  /** Errors: M_NOT_FOUND. Remote aliases are asked of their server. */
  queryAlias(request: {
    readonly alias: RoomAlias;
  }): Promise<{ roomId: RoomId; servers: ServerName[] }>;
  queryAliases(request: { readonly roomId: RoomId }): Promise<{ aliases: RoomAlias[] }>;
  /** For members. Errors: M_ROOM_IN_USE (409), M_INVALID_PARAM for aliases of other servers, M_FORBIDDEN, M_NOT_FOUND. */
  performSetAlias(request: {
    readonly alias: RoomAlias;
    readonly roomId: RoomId;
    readonly userId: UserId;
  }): Promise<void>;
  /** Allowed to the creator of the alias and to who may send m.room.canonical_alias; updates that event. Errors: M_NOT_FOUND, M_FORBIDDEN. */
  performDeleteAlias(request: {
    readonly alias: RoomAlias;
    readonly userId: UserId;
  }): Promise<Partial<Written>>;
  /** Errors: M_NOT_FOUND. */
  queryPublished(request: { readonly roomId: RoomId }): Promise<{ published: boolean }>;
  /** Errors: M_FORBIDDEN unless the user may send m.room.canonical_alias, M_NOT_FOUND. */
  performPublish(request: {
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly published: boolean;
  }): Promise<void>;
  /** Most members first, at most 1000. `since` and the tokens returned are opaque. Errors: M_INVALID_PARAM. */
  queryPublicRooms(request: {
    readonly limit: number;
    readonly since?: string;
    readonly searchTerm?: string;
    readonly roomTypes?: readonly (string | null)[];
  }): Promise<PublicRooms>;
  /**
   * As another server answers it. Errors: M_FORBIDDEN, M_INVALID_PARAM and M_LIMIT_EXCEEDED if it says so; GatewayError
   * when it cannot be reached or answers with something else.
   */
  queryRemotePublicRooms(request: {
    readonly server: ServerName;
    readonly limit: number;
    readonly since?: string;
    readonly searchTerm?: string;
    readonly roomTypes?: readonly (string | null)[];
    readonly includeAllNetworks?: boolean;
    readonly thirdPartyInstanceId?: string;
  }): Promise<PublicRooms>;
  /**
   * Client-Server API, "GET /hierarchy": the room and those below it, depth first, as far as the user may know of them. Rooms
   * of others are asked of their servers; a page ends where that takes long. Errors: M_FORBIDDEN, M_INVALID_PARAM.
   */
  querySpace(request: {
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly suggestedOnly: boolean;
    /** Below the room itself. */
    readonly maxDepth?: number;
    readonly limit: number;
    readonly from?: string;
  }): Promise<{ rooms: readonly SpaceRoom[]; nextBatch?: string }>;
  /** `membership` is `leave` where there is none. Errors: M_NOT_FOUND, also where the user may not know of it. */
  queryRoomSummary(request: {
    readonly roomIdOrAlias: string;
    readonly userId: UserId;
    readonly serverNames: readonly ServerName[];
  }): Promise<RoomSummary & { membership: string }>;

  // --- reading ---------------------------------------------------------------------------------------

  /** Undefined for rooms that this server does not know (or keeps only stale rows of). */
  queryRoom(request: { readonly roomId: RoomId }): Promise<RoomInfo | undefined>;
  /** Events as they may be shown: redacted where a redaction applies. Unknown, rejected and (unless asked for) soft-failed ones are left out. Order is that of the request. */
  queryEvents(request: {
    readonly eventIds: readonly EventId[];
    readonly includeSoftFailed?: boolean;
  }): Promise<StoredEvent[]>;
  /** Events of a snapshot by key; a key without an event is left out. Snapshots are immutable: cache freely. */
  queryStateEvents(request: {
    readonly roomId: RoomId;
    /** Absent: the current state. */
    readonly snapshot?: StateSnapshotId;
    readonly keys: readonly { readonly type: string; readonly stateKey: string }[];
  }): Promise<StoredEvent[]>;
  /**
   * The ids of a whole snapshot; `members: 'none'` leaves m.room.member out at no cost, `'only'` gives just them.
   * `limit`: so many of them, whichever, at the cost of so many.
   */
  queryStateIds(request: {
    readonly roomId: RoomId;
    readonly snapshot?: StateSnapshotId;
    readonly members: 'all' | 'none' | 'only';
    readonly limit?: number;
  }): Promise<{ entries: StateEntry[] }>;
  /** What differs between two snapshots of a room, as changes that lead from one to the other. Costs what differs. */
  queryStateDelta(request: {
    readonly roomId: RoomId;
    readonly from: StateSnapshotId;
    readonly to: StateSnapshotId;
  }): Promise<{ changes: StateEntryChange[] }>;
  /** The event id that a key has in each snapshot: for visibility decisions over a page of events, in one call. */
  queryStateAcross(request: {
    readonly roomId: RoomId;
    readonly snapshots: readonly StateSnapshotId[];
    readonly type: string;
    readonly stateKey: string;
  }): Promise<(EventId | undefined)[]>;
  /** Membership of users in the current state; absent = never a member. */
  queryMemberships(request: {
    readonly roomId: RoomId;
    readonly userIds: readonly UserId[];
  }): Promise<{ userId: UserId; membership: string; eventId: EventId }[]>;
  /** Rooms of a user by membership in the current state, invites and knocks of unknown rooms included. */
  queryRoomsOfUser(request: {
    readonly userId: UserId;
    readonly memberships: readonly string[];
  }): Promise<{ roomId: RoomId; membership: string; eventId: EventId; forgotten: boolean }[]>;
  /** Power of a user, and what sending takes, in the current state. */
  queryPower(request: { readonly roomId: RoomId; readonly userId: UserId }): Promise<Power>;
  /** The event that a device's transaction made, if any. */
  queryTransaction(request: TransactionKey): Promise<{ eventId: EventId } | undefined>;

  // --- history ---------------------------------------------------------------------------------------

  /**
   * Brings history that is missing before events of these depths, if other servers have it: of the order of `limit`
   * events, or nothing when it takes too long. `isNew`: something was brought. `gapAt`: the depth of the deepest event
   * before which something was missing that may yet be had; absent where nothing was, or only what nobody has.
   * `position`: by which all that was ever brought to the room is in the log, 0 for nothing.
   */
  performBackfill(request: {
    readonly roomId: RoomId;
    readonly minDepth: number;
    readonly maxDepth: number;
    readonly limit: number;
  }): Promise<Written & { readonly isNew: boolean; readonly gapAt?: number }>;

  // --- input: events and states that did not originate here --------------------------------------------

  /** The receive pipeline. One fate per event, in order; never throws for a bad event. */
  inputEvents(request: {
    readonly roomId: RoomId;
    readonly origin: ServerName;
    readonly events: readonly PduRecord[];
    /** `old`: backfilled history. */
    readonly kind: 'new' | 'old';
  }): Promise<EventFate[]>;
  /**
   * A whole state that arrived at once (remote join, outbound peek, resync): replaces extremities and state in one step.
   * The events must be given with their auth chains. Throws M_FORBIDDEN, naming the event, if the state does not validate.
   */
  inputState(request: {
    readonly roomId: RoomId;
    readonly roomVersion: RoomVersionId;
    readonly reason: 'join' | 'peek' | 'resync';
    /** The server that gave it: asked for the keys of servers that cannot be reached. */
    readonly origin?: ServerName;
    readonly extremities: readonly {
      readonly eventId: EventId;
      readonly stateAfter: readonly EventId[];
    }[];
    readonly events: readonly PduRecord[];
    /** With `reason: 'peek'`: the subscription that it came with. */
    readonly peek?: {
      readonly server: ServerName;
      readonly peekId: string;
      /** ms. */
      readonly renewalInterval: number;
    };
  }): Promise<Written>;
}

export interface TransactionKey {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** The endpoint's scope: transaction ids are unique per device and path (room and event type for sends). */
  readonly scope: string;
  readonly id: string;
}

export interface SendEventRequest {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
  readonly redacts?: EventId;
  readonly transaction?: TransactionKey;
  /** ms since the epoch; only for application services. */
  readonly originServerTs?: number;
  readonly isGuest?: boolean;
}

export interface CreateRoomRequest {
  readonly creator: UserId;
  /** displayname and avatar_url of the creator's and of invited local users' member events. */
  readonly profiles: Readonly<Record<UserId, JsonObject>>;
  readonly roomVersion?: string;
  readonly preset?: 'private_chat' | 'public_chat' | 'trusted_private_chat';
  readonly visibility?: 'public' | 'private';
  readonly roomAliasName?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly invite: readonly UserId[];
  readonly isDirect?: boolean;
  readonly creationContent?: JsonObject;
  readonly initialState: readonly {
    readonly type: string;
    readonly stateKey: string;
    readonly content: JsonObject;
  }[];
  readonly powerLevelContentOverride?: JsonObject;
}

export interface RoomInfo {
  readonly roomId: RoomId;
  readonly roomVersion: RoomVersionId;
  readonly creator: UserId;
  readonly isResident: boolean;
  readonly currentState: StateSnapshotId;
  readonly forwardExtremities: readonly EventId[];
  readonly visibility: HistoryVisibility;
  readonly encrypted: boolean;
  readonly joinedMembers: number;
  readonly invitedMembers: number;
}

export interface StoredEvent extends PduRecord {
  readonly stateBefore: StateSnapshotId;
  readonly visibilityAtEvent: HistoryVisibility;
  /** The redaction that applies, for `unsigned.redacted_because`. */
  readonly redactedBecause?: PduRecord;
  /** For state events: what they replaced in the state before them, for `unsigned.prev_content` and `replaces_state`. */
  readonly replacesState?: EventId;
}

export interface StateEntry {
  readonly type: string;
  readonly stateKey: string;
  readonly eventId: EventId;
}

export interface StateEntryChange {
  readonly type: string;
  readonly stateKey: string;
  readonly from?: EventId;
  readonly to?: EventId;
}

export interface Power {
  /** Infinity does not survive JSON: creators of room version 12 have Number.MAX_SAFE_INTEGER. */
  readonly userLevel: number;
  readonly invite: number;
  readonly kick: number;
  readonly ban: number;
  readonly redact: number;
  readonly stateDefault: number;
  readonly eventsDefault: number;
  readonly events: Readonly<Record<string, number>>;
  readonly notifications: Readonly<Record<string, number>>;
}

export type EventFate =
  | { readonly fate: 'accepted'; readonly eventId: EventId; readonly position: number }
  | { readonly fate: 'duplicate'; readonly eventId: EventId }
  | {
      readonly fate: 'softFailed' | 'rejected' | 'dropped';
      readonly eventId?: EventId;
      /** The rule that decided, by its number, or the name of the check. */
      readonly rule: string;
      readonly reason: string;
    };

/** `PublicRoomsChunk` of the specification. */
export interface PublicRoom {
  readonly room_id: RoomId;
  readonly canonical_alias?: string;
  readonly name?: string;
  readonly topic?: string;
  readonly avatar_url?: string;
  readonly room_type?: string;
  readonly join_rule?: string;
  readonly num_joined_members: number;
  readonly guest_can_join: boolean;
  readonly world_readable: boolean;
}

/** `RoomSummary` of the specification. */
export interface RoomSummary extends PublicRoom {
  readonly allowed_room_ids?: readonly RoomId[];
  readonly encryption?: string;
  readonly room_version?: string;
}

/** A room of a hierarchy; only spaces have children. */
export interface SpaceRoom extends RoomSummary {
  readonly children_state: readonly SpaceChild[];
}

/** An m.space.child event, stripped. */
export interface SpaceChild {
  readonly type: 'm.space.child';
  readonly state_key: RoomId;
  readonly content: JsonObject;
  readonly sender: UserId;
  /** ms since the epoch. */
  readonly origin_server_ts: number;
}

export interface PublicRooms {
  readonly chunk: readonly PublicRoom[];
  readonly nextBatch?: string;
  readonly prevBatch?: string;
  readonly totalRoomCountEstimate?: number;
}
