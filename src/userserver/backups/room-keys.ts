// The keys in a backup: put, got and deleted.

import type { Transaction } from '../../database/database.ts';
import { MatrixError } from '../../protocol/error.ts';
import { isIdentifierText } from '../../protocol/identifiers.ts';
import { parseJsonExactly } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { lockAccount } from '../store/accounts.ts';
import { type KeyBackupRow, selectLatestKeyBackup, updateEtag } from '../store/key-backups.ts';
import {
  type BackupKey,
  deleteRoomKeys,
  type RoomKeyRow,
  selectRoomKeyCount,
  selectRoomKeys,
  selectRoomKeysAfter,
  selectRoomKeysAmong,
  upsertRoomKeys,
} from '../store/room-keys.ts';
import { findBackup, noBackup } from './backup-versions.ts';
import type { BackupsApi, RoomKey, RoomKeys, RoomKeysWanted } from './backups-api.ts';

const MAX_SESSION_BYTES = 64 * 1024;
/** Of one statement. */
const CHUNK = 200;

/** Of what is handed out at once. */
const PAGE = { count: 1_000, bytes: 1024 * 1024 };

type KeysApi = Pick<
  BackupsApi,
  'performPutRoomKeys' | 'queryRoomKeys' | 'queryRoomKeysAfter' | 'performDeleteRoomKeys'
>;
type Stand = Awaited<ReturnType<KeysApi['performPutRoomKeys']>>;

export function createRoomKeys(context: UserserverContext): KeysApi {
  return {
    performPutRoomKeys: (request) => put(context, request),
    queryRoomKeys: (wanted) => query(context, wanted),
    queryRoomKeysAfter: (wanted) => queryAfter(context, wanted),
    performDeleteRoomKeys: (wanted) => remove(context, wanted),
  };
}

async function put(
  { database }: UserserverContext,
  { userId, version, keys }: Parameters<KeysApi['performPutRoomKeys']>[0],
): Promise<Stand> {
  const uploaded = rowsOf(keys);
  return await database.transact(async (tx) => {
    await lockAccount(tx, userId);
    const latest = await selectLatestKeyBackup(tx, userId);
    if (latest === undefined) throw noBackup();
    checkLatest(latest, version);
    const backup = { userId, version: latest.version };
    let isChanged = false;
    for (let start = 0; start < uploaded.length; start += CHUNK) {
      const better = await betterOnes(tx, backup, uploaded.slice(start, start + CHUNK));
      await upsertRoomKeys(tx, backup, better);
      isChanged ||= better.length > 0;
    }
    return await standOf(tx, backup, { before: latest, isChanged });
  });
}

function checkLatest(latest: KeyBackupRow, version: string): void {
  const current = String(latest.version);
  if (version === current) return;
  throw new MatrixError('M_WRONG_ROOM_KEYS_VERSION', 'There is a later backup', {
    current_version: current,
  });
}

async function betterOnes(
  tx: Transaction,
  backup: BackupKey,
  uploaded: readonly RoomKeyRow[],
): Promise<RoomKeyRow[]> {
  const stored = new Map(
    (await selectRoomKeysAmong(tx, backup, uploaded)).map((row) => [nameOf(row), row]),
  );
  return uploaded.filter((row) => isBetter(row, stored.get(nameOf(row))));
}

function nameOf({ room_id, session_id }: RoomKeyRow): string {
  return `${room_id}\0${session_id}`;
}

/** What the specification says of a key that is there already. */
function isBetter(row: RoomKeyRow, stored: RoomKeyRow | undefined): boolean {
  if (stored === undefined) return true;
  if (row.is_verified !== stored.is_verified) return row.is_verified > stored.is_verified;
  if (row.first_message_index !== stored.first_message_index) {
    return row.first_message_index < stored.first_message_index;
  }
  return row.forwarded_count < stored.forwarded_count;
}

async function query({ database }: UserserverContext, wanted: RoomKeysWanted): Promise<RoomKeys> {
  const { userId, roomId = '', sessionId = '' } = wanted;
  const { version } = await findBackup(database, userId, wanted.version);
  const rows = await selectRoomKeys(database, { userId, version, roomId, sessionId });
  const byRoom = [...Map.groupBy(rows, (row) => row.room_id)];
  return Object.fromEntries(byRoom.map(([room, ofRoom]) => [room, sessionsOf(ofRoom)]));
}

/** A session may be called `__proto__`. */
function sessionsOf(rows: readonly RoomKeyRow[]): Record<string, RoomKey> {
  return Object.fromEntries(rows.map((row) => [row.session_id, keyOf(row)]));
}

async function queryAfter(
  { database }: UserserverContext,
  wanted: Parameters<KeysApi['queryRoomKeysAfter']>[0],
): ReturnType<KeysApi['queryRoomKeysAfter']> {
  const { userId, roomId = '', after = { roomId, sessionId: '' } } = wanted;
  const { version } = await findBackup(database, userId, wanted.version);
  const rows = await selectRoomKeysAfter(database, { userId, version, roomId, after, ...PAGE });
  return rows.map((row) => ({
    roomId: row.room_id,
    sessionId: row.session_id,
    key: keyOf(row),
  }));
}

async function remove({ database }: UserserverContext, wanted: RoomKeysWanted): Promise<Stand> {
  const { userId, roomId = '', sessionId = '' } = wanted;
  return await database.transact(async (tx) => {
    await lockAccount(tx, userId);
    const before = await findBackup(tx, userId, wanted.version);
    const backup = { userId, version: before.version };
    const deleted = await deleteRoomKeys(tx, { ...backup, roomId, sessionId });
    return await standOf(tx, backup, { before, isChanged: deleted > 0 });
  });
}

async function standOf(
  tx: Transaction,
  backup: BackupKey,
  { before, isChanged }: { readonly before: KeyBackupRow; readonly isChanged: boolean },
): Promise<Stand> {
  const etag = isChanged ? await updateEtag(tx, backup.userId, backup.version) : before.etag;
  return { etag: String(etag), count: await selectRoomKeyCount(tx, backup) };
}

/** Throws M_INVALID_PARAM, M_TOO_LARGE. */
function rowsOf(keys: RoomKeys): RoomKeyRow[] {
  return Object.entries(keys).flatMap(([roomId, sessions]) =>
    Object.entries(sessions).map(([sessionId, key]) => {
      if (roomId === '' || sessionId === '' || ![roomId, sessionId].every(isIdentifierText)) {
        throw new MatrixError('M_INVALID_PARAM', 'Rooms and sessions have 1 to 255 bytes');
      }
      return rowOf(roomId, sessionId, key);
    }),
  );
}

function rowOf(roomId: string, sessionId: string, key: RoomKey): RoomKeyRow {
  const data = JSON.stringify(key.sessionData);
  if (data.length > MAX_SESSION_BYTES) throw new MatrixError('M_TOO_LARGE', 'A key is too large');
  return {
    room_id: roomId,
    session_id: sessionId,
    first_message_index: key.firstMessageIndex,
    forwarded_count: key.forwardedCount,
    is_verified: key.isVerified ? 1 : 0,
    session_data: data,
  };
}

function keyOf(row: RoomKeyRow): RoomKey {
  return {
    firstMessageIndex: row.first_message_index,
    forwardedCount: row.forwarded_count,
    isVerified: row.is_verified === 1,
    sessionData: parseJsonExactly(row.session_data),
  };
}
