// The part of the userserver's interface that is about backups of room keys.

import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonValue } from '../../protocol/json.ts';

export interface KeyBackup {
  readonly version: string;
  readonly algorithm: string;
  /** As the client gave it. */
  readonly authData: JsonValue;
  /** How many keys there are. */
  readonly count: number;
  /** Another whenever the keys are others. */
  readonly etag: string;
}

export interface RoomKey {
  readonly firstMessageIndex: number;
  readonly forwardedCount: number;
  readonly isVerified: boolean;
  /** As the client gave it. */
  readonly sessionData: JsonValue;
}

/** By room and session. Rooms are not looked at: what clients call so. */
export type RoomKeys = Readonly<Record<string, Readonly<Record<string, RoomKey>>>>;

/** All keys of a backup, those of a room, or one. */
export interface RoomKeysWanted {
  readonly userId: UserId;
  readonly version: string;
  readonly roomId?: string;
  /** Only with `roomId`. */
  readonly sessionId?: string;
}

export interface RoomKeyPlace {
  readonly roomId: string;
  readonly sessionId: string;
}

export interface BackupsApi {
  performCreateKeyBackup(request: {
    readonly userId: UserId;
    readonly algorithm: string;
    readonly authData: JsonValue;
  }): Promise<{ version: string }>;
  /** Without `version` the latest. Errors: M_NOT_FOUND. */
  queryKeyBackup(request: {
    readonly userId: UserId;
    readonly version?: string;
  }): Promise<KeyBackup>;
  /** Errors: M_NOT_FOUND; M_INVALID_PARAM for another algorithm. */
  performUpdateKeyBackup(request: {
    readonly userId: UserId;
    readonly version: string;
    readonly algorithm: string;
    readonly authData: JsonValue;
  }): Promise<void>;
  /** The keys go too. One that was deleted before is no error. Errors: M_NOT_FOUND. */
  performDeleteKeyBackup(request: {
    readonly userId: UserId;
    readonly version: string;
  }): Promise<void>;
  /**
   * Of a key that is there the better one is kept. Errors: M_NOT_FOUND without any backup; M_WRONG_ROOM_KEYS_VERSION, with
   * `current_version`, where the version is not the latest; M_TOO_LARGE.
   */
  performPutRoomKeys(request: {
    readonly userId: UserId;
    readonly version: string;
    readonly keys: RoomKeys;
  }): Promise<Pick<KeyBackup, 'count' | 'etag'>>;
  /** Errors: M_NOT_FOUND for the backup. */
  queryRoomKeys(request: RoomKeysWanted): Promise<RoomKeys>;
  /** Keys in order, as many after the given one as are well handled at once; none where it is the last. Errors: as `queryRoomKeys`. */
  queryRoomKeysAfter(
    request: Omit<RoomKeysWanted, 'sessionId'> & { readonly after?: RoomKeyPlace },
  ): Promise<readonly (RoomKeyPlace & { readonly key: RoomKey })[]>;
  /** Errors: M_NOT_FOUND for the backup. */
  performDeleteRoomKeys(request: RoomKeysWanted): Promise<Pick<KeyBackup, 'count' | 'etag'>>;
}
