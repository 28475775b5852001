// Backups of room keys (Client-Server API, "Server-side key backups"): their versions.

import type { Queryable } from '../../database/database.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import { type JsonValue, parseJsonExactly } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { lockAccount } from '../store/accounts.ts';
import {
  insertKeyBackup,
  type KeyBackupRow,
  selectKeyBackup,
  selectLatestKeyBackup,
  updateAuthData,
  updateBackupDeleted,
} from '../store/key-backups.ts';
import { deleteRoomKeys, selectRoomKeyCount } from '../store/room-keys.ts';
import type { BackupsApi, KeyBackup } from './backups-api.ts';

const MAX_AUTH_DATA_BYTES = 64 * 1024;

type VersionsApi = Pick<
  BackupsApi,
  'performCreateKeyBackup' | 'queryKeyBackup' | 'performUpdateKeyBackup' | 'performDeleteKeyBackup'
>;

export function createBackupVersions(context: UserserverContext): VersionsApi {
  const { database } = context;
  return {
    performCreateKeyBackup: async ({ userId, algorithm, authData }) => {
      const text = authDataText(authData);
      const version = await database.transact(async (tx) => {
        await lockAccount(tx, userId);
        return await insertKeyBackup(tx, { userId, algorithm, authData: text });
      });
      return { version: String(version) };
    },
    queryKeyBackup: async ({ userId, version }) => {
      const row =
        version === undefined
          ? await selectLatestKeyBackup(database, userId)
          : await findBackup(database, userId, version);
      if (row === undefined) throw noBackup();
      return await backupOf(database, userId, row);
    },
    performUpdateKeyBackup: (request) => update(context, request),
    performDeleteKeyBackup: async ({ userId, version }) => {
      await database.transact(async (tx) => {
        await lockAccount(tx, userId);
        const row = await selectKeyBackup(tx, userId, versionNumber(version));
        if (row === undefined) throw noBackup();
        await deleteRoomKeys(tx, { userId, version: row.version, roomId: '', sessionId: '' });
        await updateBackupDeleted(tx, userId, row.version);
      });
    },
  };
}

async function update(
  { database }: UserserverContext,
  request: Parameters<VersionsApi['performUpdateKeyBackup']>[0],
): Promise<void> {
  const { userId, algorithm } = request;
  const authData = authDataText(request.authData);
  await database.transact(async (tx) => {
    await lockAccount(tx, userId);
    const { version, algorithm: current } = await findBackup(tx, userId, request.version);
    if (algorithm !== current) {
      throw new MatrixError('M_INVALID_PARAM', 'The algorithm of a backup stays what it is');
    }
    await updateAuthData(tx, { userId, version, authData });
  });
}

/** Throws M_NOT_FOUND. */
export async function findBackup(
  db: Queryable,
  userId: UserId,
  version: string,
): Promise<KeyBackupRow> {
  const row = await selectKeyBackup(db, userId, versionNumber(version));
  if (row === undefined || row.is_deleted === 1) throw noBackup();
  return row;
}

export function noBackup(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'There is no such backup');
}

async function backupOf(db: Queryable, userId: UserId, row: KeyBackupRow): Promise<KeyBackup> {
  const { version, algorithm, etag, auth_data } = row;
  const authData = parseJsonExactly(auth_data);
  const count = await selectRoomKeyCount(db, { userId, version });
  return { version: String(version), algorithm, authData, count, etag: String(etag) };
}

/** 0, which no backup has, for what is no version of ours. */
function versionNumber(version: string): number {
  return /^[1-9][0-9]{0,14}$/.test(version) ? Number(version) : 0;
}

function authDataText(authData: JsonValue): string {
  const text = JSON.stringify(authData);
  if (text.length <= MAX_AUTH_DATA_BYTES) return text;
  throw new MatrixError('M_TOO_LARGE', 'auth_data is too large');
}
