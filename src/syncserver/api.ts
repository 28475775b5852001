// The syncserver: what each device has been shown. Consumes the log, answers /sync, /messages and the like,
// wakes waiting devices, and owns the peeks. Plain data in, plain data out; failures are MatrixErrors.

import type { DeviceId, EventId, RoomId, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';

/** Who is asking. Guests see what they have joined and what is world-readable. */
export interface Viewer {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly isGuest: boolean;
}

/** Where rooms have their state: before the timeline, or after it (MSC4222, `use_state_after`), by its former name too. */
export type StateSection = 'state' | 'state_after' | 'org.matrix.msc4222.state_after';

export interface SyncserverApi {
  /**
   * Waits until the given positions have been consumed, at most `timeoutMs` (1,000 by default), never longer:
   * a write is visible when it is acknowledged. Resolves all the same when time is over.
   */
  waitForPositions(request: {
    readonly rooms?: number;
    readonly users?: number;
    readonly receipts?: number;
    readonly toDevice?: number;
    readonly timeoutMs?: number;
  }): Promise<void>;

  /**
   * `GET /sync`: the response body. Blocks up to `timeoutMs` while there is nothing to tell. `filter` is a parsed filter
   * definition. When `signal` aborts, answers early with what there is. Errors: M_UNKNOWN_POS / M_INVALID_PARAM for tokens that are not ours.
   */
  sync(request: {
    readonly viewer: Viewer;
    readonly since?: string;
    readonly timeoutMs: number;
    readonly fullState: boolean;
    readonly filter: JsonObject;
    readonly stateSection: StateSection;
    readonly signal?: AbortSignal;
  }): Promise<JsonObject>;

  /**
   * `GET /keys/changes`: users whose devices or cross-signing keys the viewer has to ask for again, and those with whom
   * she shares no room any more, between two tokens. Errors: M_INVALID_PARAM, M_UNKNOWN_POS.
   */
  deviceListChanges(request: {
    readonly viewer: Viewer;
    readonly from: string;
    readonly to: string;
  }): Promise<JsonObject>;

  /** `GET /rooms/{id}/messages`. Errors: M_FORBIDDEN, M_INVALID_PARAM. */
  messages(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly from?: string;
    readonly to?: string;
    readonly dir: 'b' | 'f';
    readonly limit: number;
    readonly filter: JsonObject;
  }): Promise<JsonObject>;
  /** `GET /rooms/{id}/context/{eventId}`. Errors: M_NOT_FOUND. */
  context(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly eventId: EventId;
    readonly limit: number;
    readonly filter: JsonObject;
  }): Promise<JsonObject>;
  /** `GET /rooms/{id}/event/{eventId}` in client format. Errors: M_NOT_FOUND. */
  event(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  }): Promise<JsonObject>;
  /** `GET /rooms/{id}/state`: current for members and lookers, as of leaving for those who left. Errors: M_FORBIDDEN. */
  state(request: { readonly viewer: Viewer; readonly roomId: RoomId }): Promise<JsonObject[]>;
  /** One state event in client format. Errors: M_FORBIDDEN, M_NOT_FOUND. */
  stateEvent(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly type: string;
    readonly stateKey: string;
  }): Promise<JsonObject>;
  /** `GET /rooms/{id}/members`. `at`: a token. Errors: M_FORBIDDEN. */
  members(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly at?: string;
    readonly membership?: string;
    readonly notMembership?: string;
  }): Promise<JsonObject>;
  /** `GET /rooms/{id}/joined_members`. Errors: M_FORBIDDEN. */
  joinedMembers(request: { readonly viewer: Viewer; readonly roomId: RoomId }): Promise<JsonObject>;
  /** `GET /rooms/{id}/relations/{eventId}[/{relType}[/{eventType}]]`. Errors: M_NOT_FOUND. */
  relations(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly eventId: EventId;
    readonly relType?: string;
    readonly eventType?: string;
    readonly from?: string;
    readonly to?: string;
    readonly dir: 'b' | 'f';
    readonly limit: number;
    readonly recurse: boolean;
  }): Promise<JsonObject>;

  // --- legacy: initialSync and events ----------------------------------------------------------------

  /** `GET /rooms/{id}/initialSync`: for members, those who left, and lookers (whose short peek must exist: see `queryAccess`). Errors: M_FORBIDDEN. */
  roomInitialSync(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
    readonly limit: number;
  }): Promise<JsonObject>;
  /** `GET /initialSync`. */
  initialSync(request: {
    readonly viewer: Viewer;
    readonly limit: number;
    readonly archived: boolean;
  }): Promise<JsonObject>;
  /**
   * `GET /events`; with `roomId`, of that room only, for lookers too. Without `from`, goes on where the device's last
   * initialSync (of that room) ended. A peek that has ended is told up to its end. Errors: M_FORBIDDEN when
   * nothing more is to be told, M_INVALID_PARAM, M_UNKNOWN_POS.
   */
  events(request: {
    readonly viewer: Viewer;
    readonly roomId?: RoomId;
    readonly from?: string;
    /** Of events of rooms, 100 by default. */
    readonly limit?: number;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<JsonObject>;

  // --- peeks -----------------------------------------------------------------------------------------

  /** Whether this device looks into the room now. */
  queryPeek(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly roomId: RoomId;
    readonly via: 'sync' | 'events';
  }): Promise<{ active: boolean; expiryTs?: number }>;
  /** Errors: M_LIMIT_EXCEEDED with retry_after_ms when a further peek of the user, or into the room, is over the caps. Renewals are always allowed. */
  checkPeekLimits(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly roomId: RoomId;
    readonly via: 'sync' | 'events';
  }): Promise<void>;
  /** The peek that was allowed is not to come: its place is free at once. */
  cancelPeek(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly roomId: RoomId;
    readonly via: 'sync' | 'events';
  }): Promise<void>;
  /** How the viewer stands to the room: decides whether legacy endpoints need a short peek. */
  queryAccess(request: {
    readonly viewer: Viewer;
    readonly roomId: RoomId;
  }): Promise<'joined' | 'left' | 'invited' | 'none'>;

  // --- receipts, typing, presence ----------------------------------------------------------------------

  /** Those of the users of other servers who share a joined room with anybody of this one. */
  queryFollowed(request: {
    readonly userIds: readonly UserId[];
  }): Promise<{ userIds: readonly UserId[] }>;
  /** Presence as last heard; undefined when never. */
  queryPresence(request: { readonly userId: UserId }): Promise<JsonObject | undefined>;
  /** Whether two users share a joined room now. */
  querySharesRoom(request: {
    readonly userId: UserId;
    readonly otherUserId: UserId;
  }): Promise<{ shares: boolean }>;
  /** `GET /notifications`. */
  notifications(request: {
    readonly viewer: Viewer;
    readonly from?: string;
    readonly limit: number;
    readonly onlyHighlights: boolean;
  }): Promise<JsonObject>;
}
