// Media that local users upload, at once or to a reserved URI.

import { MatrixError } from '../protocol/error.ts';
import { isServerName, type MediaId, parseMxcUri } from '../protocol/identifiers.ts';
import { randomMediaId } from '../protocol/opaque-ids.ts';
import type { MediaserverApi } from './api.ts';
import type { MediaserverContext } from './context.ts';
import {
  countPending,
  deleteExpiredReservations,
  insertReserved,
  insertUploaded,
  type MediaKey,
  selectMedia,
  updateToUploaded,
} from './store/media.ts';

const DEFAULT_LIFETIME_MS = 86_400_000;
const DEFAULT_MAX_PENDING = 10;

type UploadsApi = Pick<
  MediaserverApi,
  'performUpload' | 'performReserve' | 'performUploadReserved'
>;

export function createUploads(context: MediaserverContext): UploadsApi {
  return {
    performUpload: (request) => upload(context, request),
    performReserve: (request) => reserve(context, request),
    performUploadReserved: (request) => uploadReserved(context, request),
  };
}

async function upload(
  context: MediaserverContext,
  request: Parameters<UploadsApi['performUpload']>[0],
): Promise<{ contentUri: string }> {
  const { userId, contentType, fileName, body } = request;
  const { folder, database, config, clock } = context;
  const key = newKey(context);
  await folder.keep(body, config.maxUploadBytes, (file) =>
    database.transact((tx) =>
      insertUploaded(tx, key, { ...file, contentType, fileName, userId, now: clock.now() }),
    ),
  );
  return { contentUri: uriOf(key) };
}

function newKey({ serverName }: MediaserverContext): MediaKey {
  return { serverName, mediaId: randomMediaId() };
}

function uriOf({ serverName, mediaId }: MediaKey): string {
  return `mxc://${serverName}/${mediaId}`;
}

async function reserve(
  context: MediaserverContext,
  { userId }: Parameters<UploadsApi['performReserve']>[0],
): Promise<{ contentUri: string; unusedExpiresTs: number }> {
  const { database, clock, config } = context;
  const lifetimeMs = config.reservationLifetimeMs ?? DEFAULT_LIFETIME_MS;
  const maxPending = config.maxPendingUploads ?? DEFAULT_MAX_PENDING;
  const key = newKey(context);
  const now = clock.now();
  const expiresTs = now + lifetimeMs;
  await database.transact(async (tx) => {
    // An upload that began in time may still be under way.
    await deleteExpiredReservations(tx, userId, now - lifetimeMs);
    if ((await countPending(tx, userId, now)) >= maxPending) {
      const message = `No more than ${maxPending} uploads may be pending`;
      throw new MatrixError('M_LIMIT_EXCEEDED', message);
    }
    await insertReserved(tx, key, { userId, now, expiresTs });
  });
  return { contentUri: uriOf(key), unusedExpiresTs: expiresTs };
}

async function uploadReserved(
  context: MediaserverContext,
  request: Parameters<UploadsApi['performUploadReserved']>[0],
): Promise<void> {
  const { contentType, fileName, body } = request;
  const { folder, database, config, waiters } = context;
  const key = await checkReserved(context, request);
  await folder.keep(body, config.maxUploadBytes, (file) =>
    database.transact(async (tx) => {
      if (!(await updateToUploaded(tx, key, { ...file, contentType, fileName }))) {
        throw (await selectMedia(tx, key)) ? cannotOverwrite() : unknownMedia();
      }
      tx.afterCommit(() => waiters.wake(key.mediaId));
    }),
  );
}

/** Before the body is read. */
async function checkReserved(
  { database, serverName, clock }: MediaserverContext,
  request: Parameters<UploadsApi['performUploadReserved']>[0],
): Promise<MediaKey> {
  const key = checkKey(request);
  if (key.serverName !== serverName) throw unknownMedia();
  const row = await selectMedia(database, key);
  if (row === undefined) throw unknownMedia();
  if (row.user_id !== request.userId) {
    throw new MatrixError('M_FORBIDDEN', 'The URI was reserved by somebody else');
  }
  if (row.file_id !== null) throw cannotOverwrite();
  if (row.unused_expires_ts === null || row.unused_expires_ts <= clock.now()) throw unknownMedia();
  return key;
}

/** Throws M_NOT_FOUND for what cannot be the URI of any media. */
export function checkKey(request: { serverName: string; mediaId: string }): MediaKey {
  const { serverName, mediaId } = request;
  if (!isServerName(serverName) || parseMxcUri(`mxc://${serverName}/${mediaId}`) === undefined) {
    throw unknownMedia();
  }
  return { serverName, mediaId: mediaId as MediaId };
}

export function unknownMedia(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'There is no such media');
}

function cannotOverwrite(): MatrixError {
  return new MatrixError('M_CANNOT_OVERWRITE_MEDIA', 'Media has already been uploaded there');
}
