// The userserver: accounts, devices, access tokens, profiles, account data, push rules, filters.
// Plain data in, plain data out; failures are MatrixErrors.

import type { DeviceId, EventId, RoomId, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { BackupsApi } from './backups/backups-api.ts';
import type { KeysApi } from './keys/keys-api.ts';

/** Position in `userserver.output` that carries a change: wait for it at the syncserver before answering. 0: none does. */
export interface Written {
  readonly position: number;
}

export interface UserserverApi extends KeysApi, BackupsApi {
  // --- accounts and sessions -------------------------------------------------------------------------

  /** Errors: M_USER_IN_USE, M_INVALID_USERNAME. A to Z count as a to z; names of digits only are the server's to give. */
  queryUsernameAvailable(request: { readonly localpart: string }): Promise<void>;
  /**
   * Creates the account, and a device with tokens unless `inhibitLogin`. Guests get a generated localpart and no password.
   * Errors: M_USER_IN_USE, M_INVALID_USERNAME, M_WEAK_PASSWORD, M_INVALID_PARAM.
   */
  performRegister(request: {
    readonly localpart?: string;
    readonly password?: string;
    readonly isGuest?: boolean;
    readonly isAdmin?: boolean;
    readonly displayname?: string;
    readonly inhibitLogin: boolean;
    readonly device: NewDevice;
  }): Promise<Session | { readonly userId: UserId }>;
  /**
   * Makes a guest an ordinary user: with a password, and a new session in place of the guest's. What the guest has
   * joined stays. Errors: M_FORBIDDEN for who is no guest, M_WEAK_PASSWORD, M_INVALID_PARAM.
   */
  performUpgradeGuest(request: {
    readonly userId: UserId;
    readonly password: string;
    readonly inhibitLogin: boolean;
    readonly device: NewDevice;
  }): Promise<Session | { readonly userId: UserId }>;
  /** Checks a password. Errors: M_FORBIDDEN (one answer for unknown user and wrong password, at one cost), M_USER_DEACTIVATED. */
  performPasswordLogin(request: {
    readonly userId: UserId;
    readonly password: string;
    readonly device: NewDevice;
  }): Promise<Session>;
  /** Makes a session without a password: for login tokens and other proofs that the caller has checked. */
  performTokenLogin(request: {
    readonly loginToken: string;
    readonly device: NewDevice;
  }): Promise<Session>;
  performCreateLoginToken(request: {
    readonly userId: UserId;
  }): Promise<{ loginToken: string; expiresInMs: number }>;
  /** Errors: M_UNKNOWN_TOKEN. The old tokens live until the new ones are first used. */
  performRefresh(request: { readonly refreshToken: string }): Promise<Session>;
  /** Undefined for an unknown token; errors: M_UNKNOWN_TOKEN with `soft_logout` when it has expired. Cached. */
  queryAccessToken(request: { readonly token: string }): Promise<TokenOwner | undefined>;
  performLogout(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
  }): Promise<Written>;
  performLogoutAll(request: {
    readonly userId: UserId;
    readonly exceptDeviceId?: DeviceId;
  }): Promise<Written>;
  /** Errors: M_FORBIDDEN. */
  checkPassword(request: { readonly userId: UserId; readonly password: string }): Promise<void>;
  /** Also ends the user's login tokens, and devices if asked to. Errors: M_WEAK_PASSWORD, M_INVALID_PARAM, M_NOT_FOUND. */
  performSetPassword(request: {
    readonly userId: UserId;
    readonly password: string;
    /** All, or all but one. */
    readonly logoutDevices?: { readonly exceptDeviceId?: DeviceId };
  }): Promise<Written>;
  /** Removes devices, tokens, password, pushers; with `erase` profile and account data too. Memberships follow by the log. */
  performDeactivate(request: {
    readonly userId: UserId;
    readonly erase: boolean;
  }): Promise<Written>;
  queryAccount(request: { readonly userId: UserId }): Promise<Account | undefined>;

  // --- user-interactive authentication ---------------------------------------------------------------

  /** A session for these flows, for the request that it was made for. */
  performCreateUiaSession(request: {
    readonly operation: string;
    readonly userId?: UserId;
    readonly request: JsonObject;
  }): Promise<{ session: string }>;
  /** Errors: M_UNKNOWN (400) for a session that is not known or has expired, M_FORBIDDEN for one of another operation or user. */
  queryUiaSession(request: {
    readonly session: string;
    readonly operation: string;
    readonly userId?: UserId;
  }): Promise<UiaSession>;
  performCompleteUiaStage(request: {
    readonly session: string;
    readonly stage: string;
  }): Promise<UiaSession>;
  /** Remembers what the finished operation answered, so that repeating its last request can be answered alike. */
  performSetUiaResult(request: {
    readonly session: string;
    readonly result: JsonObject;
  }): Promise<void>;
  performEndUiaSession(request: { readonly session: string }): Promise<void>;

  // --- devices ---------------------------------------------------------------------------------------

  queryDevices(request: { readonly userId: UserId }): Promise<Device[]>;
  queryDevice(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
  }): Promise<Device | undefined>;
  /** Errors: M_NOT_FOUND. */
  performUpdateDevice(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly displayName: string;
  }): Promise<Written>;
  performDeleteDevices(request: {
    readonly userId: UserId;
    readonly deviceIds: readonly DeviceId[];
  }): Promise<Written>;
  /** Remembers when and from where a device was last seen; cheap, written from time to time. */
  noteDeviceSeen(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly ip: string;
    readonly userAgent: string;
  }): Promise<void>;

  // --- profiles --------------------------------------------------------------------------------------

  /**
   * `displayname`, `avatar_url` and custom fields. Undefined for users that do not exist. Those of other servers are asked
   * of them; errors then: M_FORBIDDEN, M_NOT_FOUND where they do not answer.
   */
  queryProfile(request: { readonly userId: UserId }): Promise<JsonObject | undefined>;
  queryProfiles(request: {
    readonly userIds: readonly UserId[];
  }): Promise<Readonly<Record<UserId, JsonObject>>>;
  /**
   * `value` undefined removes the field, as do an empty displayname and avatar_url. Position 0 for fields that nobody
   * is told of. Errors: M_INVALID_PARAM, M_KEY_TOO_LARGE, M_PROFILE_TOO_LARGE, M_NOT_FOUND.
   */
  performSetProfileField(request: {
    readonly userId: UserId;
    readonly field: string;
    readonly value?: JsonObject[string];
  }): Promise<Written>;
  /** Local users whose id or displayname contains the term. */
  searchUsers(request: {
    readonly term: string;
    readonly limit: number;
    readonly requester: UserId;
  }): Promise<{
    results: { userId: UserId; displayname?: string; avatarUrl?: string }[];
    limited: boolean;
  }>;

  // --- account data, filters, push rules -------------------------------------------------------------

  queryAccountData(request: {
    readonly userId: UserId;
    readonly roomId?: RoomId;
    readonly type: string;
  }): Promise<JsonObject | undefined>;
  /** Many at once, for /sync. `roomId` undefined = global. Push rules come as type `m.push_rules`. */
  queryAllAccountData(request: {
    readonly userId: UserId;
  }): Promise<{ roomId?: RoomId; type: string; content: JsonObject }[]>;
  /** Errors: M_BAD_JSON (405) for m.fully_read and m.push_rules, M_INVALID_PARAM. */
  performSetAccountData(request: {
    readonly userId: UserId;
    readonly roomId?: RoomId;
    readonly type: string;
    readonly content: JsonObject;
  }): Promise<Written>;
  /** `m.fully_read` of a room, the one way to set it. */
  performSetFullyRead(request: {
    readonly userId: UserId;
    readonly roomId: RoomId;
    readonly eventId: EventId;
  }): Promise<Written>;
  /** `content` undefined removes the tag. Errors: M_INVALID_PARAM, M_TOO_LARGE. */
  performSetTag(request: {
    readonly userId: UserId;
    readonly roomId: RoomId;
    readonly tag: string;
    readonly content?: JsonObject;
  }): Promise<Written>;
  /**
   * Tags, push rules and being a direct chat, of a room that has been replaced for its replacement. What is too much to be
   * kept is left out.
   */
  performCopyRoomSettings(request: {
    readonly userId: UserId;
    readonly from: RoomId;
    readonly to: RoomId;
  }): Promise<Written>;
  /** `m.ignored_user_list`, parsed; cached. */
  queryIgnoredUsers(request: { readonly userId: UserId }): Promise<readonly UserId[]>;

  performStoreFilter(request: {
    readonly userId: UserId;
    readonly filter: JsonObject;
  }): Promise<{ filterId: string }>;
  queryFilter(request: {
    readonly userId: UserId;
    readonly filterId: string;
  }): Promise<JsonObject | undefined>;

  /** The whole ruleset, defaults merged with the user's changes, in the shape of `GET /pushrules/`; cached. */
  queryPushRules(request: { readonly userId: UserId }): Promise<JsonObject>;
  /** Errors: M_NOT_FOUND, M_INVALID_PARAM, M_MISSING_PARAM, M_TOO_LARGE, M_UNKNOWN (400) for rules `before` or `after` that do not exist. */
  performSetPushRule(
    request: PushRuleKey & {
      readonly rule: JsonObject;
      readonly before?: string;
      readonly after?: string;
    },
  ): Promise<Written>;
  performDeletePushRule(request: PushRuleKey): Promise<Written>;
  performSetPushRuleEnabled(request: PushRuleKey & { readonly enabled: boolean }): Promise<Written>;
  performSetPushRuleActions(
    request: PushRuleKey & { readonly actions: JsonObject[string] },
  ): Promise<Written>;

  // --- pushers: stored, not used yet -----------------------------------------------------------------

  /** As `GET /pushers` lists them. */
  queryPushers(request: { readonly userId: UserId }): Promise<JsonObject[]>;
  /**
   * `pusher` is the body of `POST /pushers/set` with a `kind` that is not null. It ends with the device.
   * Errors: M_MISSING_PARAM, M_INVALID_PARAM.
   */
  performSetPusher(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly pusher: JsonObject;
  }): Promise<void>;
  performDeletePusher(request: {
    readonly userId: UserId;
    readonly appId: string;
    readonly pushkey: string;
  }): Promise<void>;

  // --- OpenID ----------------------------------------------------------------------------------------

  performCreateOpenIdToken(request: {
    readonly userId: UserId;
  }): Promise<{ accessToken: string; expiresInMs: number }>;
  queryOpenIdToken(request: {
    readonly accessToken: string;
  }): Promise<{ userId: UserId } | undefined>;
}

export interface NewDevice {
  /** Generated when absent; an existing one is taken over, its old tokens end. */
  readonly deviceId?: DeviceId;
  readonly displayName?: string;
  /** Answer with a refresh token, and an access token that expires. */
  readonly refreshable: boolean;
}

export interface Session {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly expiresInMs?: number;
}

export interface TokenOwner {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** ms since the epoch. */
  readonly deviceCreatedTs: number;
  readonly isGuest: boolean;
  readonly isAdmin: boolean;
  /** A stable id of the token, not the token. */
  readonly accessTokenId: string;
}

export interface Account {
  readonly userId: UserId;
  readonly isGuest: boolean;
  readonly isAdmin: boolean;
  readonly isDeactivated: boolean;
  /** ms since the epoch. */
  readonly createdTs: number;
}

export interface UiaSession {
  readonly session: string;
  readonly completed: readonly string[];
  /** The first request of the session, without `auth`. */
  readonly request: JsonObject;
  /** As set by `performSetUiaResult`. */
  readonly result?: JsonObject;
}

export interface Device {
  readonly deviceId: DeviceId;
  readonly displayName?: string;
  readonly lastSeenIp?: string;
  /** ms since the epoch. */
  readonly lastSeenTs?: number;
}

export interface PushRuleKey {
  readonly userId: UserId;
  readonly kind: string;
  readonly ruleId: string;
}
