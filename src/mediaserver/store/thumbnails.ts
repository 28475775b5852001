// mediaserver_thumbnails.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { MediaKey } from './media.ts';

export interface ThumbnailRow {
  readonly file_id: string;
  readonly content_type: string;
}

export function selectThumbnail(
  db: Queryable,
  key: MediaKey,
  variant: string,
): Promise<ThumbnailRow | undefined> {
  return db.get<ThumbnailRow>(sql`
    SELECT file_id, content_type FROM mediaserver_thumbnails
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId} AND variant = ${variant}`);
}

export async function countThumbnails(db: Queryable, key: MediaKey): Promise<number> {
  const row = await db.get<{ kept: number }>(sql`
    SELECT count(*) AS kept FROM mediaserver_thumbnails
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId}`);
  return row?.kept ?? 0;
}

export async function insertThumbnail(
  tx: Transaction,
  key: MediaKey,
  row: { readonly variant: string; readonly fileId: string; readonly contentType: string },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO mediaserver_thumbnails (server_name, media_id, variant, file_id, content_type)
    VALUES (${key.serverName}, ${key.mediaId}, ${row.variant}, ${row.fileId}, ${row.contentType})
    ON CONFLICT DO NOTHING`);
}

/** Their files; that of the media itself may be among them. */
export async function selectThumbnailFiles(db: Queryable, key: MediaKey): Promise<string[]> {
  const found = await db.all<{ file_id: string }>(sql`
    SELECT file_id FROM mediaserver_thumbnails
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId}`);
  return found.map(({ file_id: fileId }) => fileId);
}

export async function deleteThumbnails(tx: Transaction, key: MediaKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM mediaserver_thumbnails
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId}`);
}
