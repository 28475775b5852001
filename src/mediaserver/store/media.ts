// mediaserver_media.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { MediaId, ServerName, UserId } from '../../protocol/identifiers.ts';

export interface MediaKey {
  readonly serverName: ServerName;
  readonly mediaId: MediaId;
}

export interface MediaRow {
  readonly user_id: UserId | null;
  /** Null while nothing has been uploaded. */
  readonly file_id: string | null;
  readonly content_type: string | null;
  readonly file_name: string | null;
  /** ms since the epoch; null once uploaded. */
  readonly unused_expires_ts: number | null;
}

export interface FileColumns {
  readonly fileId: string;
  readonly contentType: string;
  readonly fileName: string | undefined;
  /** Bytes. */
  readonly size: number;
}

export function selectMedia(db: Queryable, key: MediaKey): Promise<MediaRow | undefined> {
  return db.get<MediaRow>(sql`
    SELECT user_id, file_id, content_type, file_name, unused_expires_ts FROM mediaserver_media
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId}`);
}

/** False when the media is there already. `userId` is null for media of other servers. */
export async function insertUploaded(
  tx: Transaction,
  key: MediaKey,
  row: FileColumns & { readonly userId: UserId | null; readonly now: number },
): Promise<boolean> {
  const inserted = await tx.run(sql`
    INSERT INTO mediaserver_media
      (server_name, media_id, user_id, file_id, content_type, file_name, size, created_ts)
    VALUES (${key.serverName}, ${key.mediaId}, ${row.userId}, ${row.fileId}, ${row.contentType},
      ${row.fileName ?? null}, ${row.size}, ${row.now})
    ON CONFLICT DO NOTHING`);
  return inserted === 1;
}

export async function insertReserved(
  tx: Transaction,
  key: MediaKey,
  row: { readonly userId: UserId; readonly now: number; readonly expiresTs: number },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO mediaserver_media (server_name, media_id, user_id, created_ts, unused_expires_ts)
    VALUES (${key.serverName}, ${key.mediaId}, ${row.userId}, ${row.now}, ${row.expiresTs})`);
}

/** False when there is no reservation, or something has been uploaded to it. */
export async function updateToUploaded(
  tx: Transaction,
  key: MediaKey,
  row: FileColumns,
): Promise<boolean> {
  const updated = await tx.run(sql`
    UPDATE mediaserver_media SET file_id = ${row.fileId}, content_type = ${row.contentType},
      file_name = ${row.fileName ?? null}, size = ${row.size}, unused_expires_ts = NULL
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId} AND file_id IS NULL`);
  return updated === 1;
}

export async function countPending(db: Queryable, userId: UserId, now: number): Promise<number> {
  const row = await db.get<{ pending: number }>(sql`
    SELECT count(*) AS pending FROM mediaserver_media
    WHERE user_id = ${userId} AND unused_expires_ts > ${now}`);
  return row?.pending ?? 0;
}

/** Reservations of the user that expired before `before` (ms since the epoch). */
export async function deleteExpiredReservations(
  tx: Transaction,
  userId: UserId,
  before: number,
): Promise<void> {
  await tx.run(sql`
    DELETE FROM mediaserver_media WHERE user_id = ${userId} AND unused_expires_ts < ${before}`);
}

/** Those of the files that media or thumbnails are in. */
export async function selectUsedFiles(
  db: Queryable,
  fileIds: readonly string[],
): Promise<Set<string>> {
  const found = await db.all<{ file_id: string }>(sql`
    SELECT file_id FROM mediaserver_media WHERE file_id IN ${list('text', fileIds)}
    UNION SELECT file_id FROM mediaserver_thumbnails WHERE file_id IN ${list('text', fileIds)}`);
  return new Set(found.map((row) => row.file_id));
}
