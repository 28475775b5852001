// The part of the userserver's interface that is about end-to-end encryption: device keys, one-time keys, cross-signing.

import type { DeviceId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Position in `userserver.output` that carries a change. 0: none does. */
interface Written {
  readonly position: number;
}

/** An empty list is all devices of the user. */
export type WantedKeys = Readonly<Record<UserId, readonly DeviceId[]>>;
/** The algorithm of the key that is wanted of each device. */
export type WantedOneTimeKeys = Readonly<Record<UserId, Readonly<Record<DeviceId, string>>>>;

export interface KeyCounts {
  /** By algorithm. */
  readonly oneTimeKeys: Readonly<Record<string, number>>;
  /** Algorithms. */
  readonly unusedFallbackKeys: readonly string[];
}

export type CrossSigningUsage = 'master' | 'self_signing' | 'user_signing';

export interface CrossSigningUpload {
  readonly userId: UserId;
  /** As the client sent them. */
  readonly keys: Readonly<Partial<Record<CrossSigningUsage, JsonObject>>>;
}

/** By user and by device ID or public key. */
export type SignedKeys = Readonly<Record<UserId, Readonly<Record<string, JsonObject>>>>;

export interface KeysApi {
  /**
   * `POST /keys/upload`. One-time and fallback keys by `algorithm:keyId`. Errors: M_INVALID_PARAM for keys of somebody else,
   * malformed ones, and a one-time key that is there with another value; M_TOO_LARGE.
   */
  performUploadKeys(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly deviceKeys?: JsonObject;
    readonly oneTimeKeys: JsonObject;
    readonly fallbackKeys: JsonObject;
  }): Promise<Written & { readonly counts: KeyCounts }>;
  /** Cached: every /sync asks for it. */
  queryKeyCounts(request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
  }): Promise<KeyCounts>;
  /** The answer of `POST /keys/query`: keys with the signatures that the requester may see. */
  queryKeys(request: {
    readonly requester: UserId;
    readonly wanted: WantedKeys;
    /** Users of other servers who share a room with anybody here: their servers tell of changes. */
    readonly followed?: readonly UserId[];
    /** For other servers. */
    readonly timeoutMs: number;
  }): Promise<JsonObject>;
  /** The answer of `POST /keys/claim`: each one-time key is given once. */
  performClaimKeys(request: {
    readonly wanted: WantedOneTimeKeys;
    /** For other servers. */
    readonly timeoutMs: number;
  }): Promise<JsonObject>;

  /** Errors: M_INVALID_PARAM, M_INVALID_SIGNATURE, M_MISSING_PARAM, M_FORBIDDEN. */
  queryCrossSigningUpload(
    request: CrossSigningUpload,
  ): Promise<{ readonly isAuthRequired: boolean }>;
  /** As `queryCrossSigningUpload`; M_FORBIDDEN also where authentication is required and `isAuthenticated` is false. */
  performUploadCrossSigningKeys(
    request: CrossSigningUpload & { readonly isAuthenticated: boolean },
  ): Promise<Written>;
  /** `POST /keys/signatures/upload`. `failures` by user and key, with errcode and error. */
  performUploadSignatures(request: {
    readonly userId: UserId;
    readonly signed: SignedKeys;
  }): Promise<Written & { readonly failures: JsonObject }>;

  // --- asked by other servers --------------------------------------------------------------------------

  /** The answer of `GET /user/devices/{userId}`. Errors: M_NOT_FOUND. */
  queryDevicesForServer(request: { readonly userId: UserId }): Promise<JsonObject>;
  /** The answer of `POST /user/keys/query`. Users of other servers are left out. */
  queryKeysForServer(request: { readonly wanted: WantedKeys }): Promise<JsonObject>;
  /** The answer of `POST /user/keys/claim`. Users of other servers are left out. */
  performClaimKeysForServer(request: { readonly wanted: WantedOneTimeKeys }): Promise<JsonObject>;

  // --- told by other servers -----------------------------------------------------------------------------

  /** The content of an `m.device_list_update`. What is malformed, or of a user of another server than `origin`, is dropped. */
  performReceiveDeviceListUpdate(request: {
    readonly origin: ServerName;
    readonly content: JsonObject;
  }): Promise<Written>;
  /** The content of an `m.signing_key_update`, likewise. */
  performReceiveSigningKeyUpdate(request: {
    readonly origin: ServerName;
    readonly content: JsonObject;
  }): Promise<Written>;
}
