// Backups of room keys, in the form of the Client-Server API.

import type { Static } from 'typebox';
import { type Parameter, text } from '../http/parameters.ts';
import { Type } from '../json-schema.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { UserserverApi } from '../userserver/api.ts';

type KeyBackup = Awaited<ReturnType<UserserverApi['queryKeyBackup']>>;
type RoomKeys = Awaited<ReturnType<UserserverApi['queryRoomKeys']>>;
type RoomKey = RoomKeys[string][string];

/** What clients give without the server's looking into it: mostly objects. */
const opaque = Type.Unsafe<JsonValue>({});

export const backupInfo = {
  algorithm: Type.String({ maxLength: 255 }),
  auth_data: opaque,
};

export const keyBackupData = Type.Object({
  first_message_index: Type.Integer({ minimum: 0 }),
  forwarded_count: Type.Integer({ minimum: 0 }),
  is_verified: Type.Boolean(),
  session_data: opaque,
});

export const roomKeyBackup = Type.Object({
  sessions: Type.Record(Type.String(), keyBackupData),
});

type SessionsBody = Static<typeof roomKeyBackup>;

/** Of keys: the backup that they are in. */
export const versionQuery: { version: Parameter<string> } = { version: text() };

export function keyFrom(body: Static<typeof keyBackupData>): RoomKey {
  return {
    firstMessageIndex: body.first_message_index,
    forwardedCount: body.forwarded_count,
    isVerified: body.is_verified,
    sessionData: body.session_data,
  };
}

export function sessionsFrom({ sessions }: SessionsBody): Record<string, RoomKey> {
  return Object.fromEntries(Object.entries(sessions).map(([id, key]) => [id, keyFrom(key)]));
}

export function keyBody(key: RoomKey): JsonObject {
  return {
    first_message_index: key.firstMessageIndex,
    forwarded_count: key.forwardedCount,
    is_verified: key.isVerified,
    session_data: key.sessionData,
  };
}

export function backupBody(backup: KeyBackup): JsonObject {
  const { algorithm, authData, count, etag, version } = backup;
  return { algorithm, auth_data: authData, count, etag, version };
}
