// mediaserver_media: what is kept of other servers, which no user of ours has uploaded.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { MediaId, ServerName } from '../../protocol/identifiers.ts';
import type { MediaKey } from './media.ts';

/** Bytes, without thumbnails. */
export async function selectRemoteSize(db: Queryable): Promise<number> {
  const row = await db.get<{ total: number | null }>(
    sql`SELECT CAST(SUM(size) AS BIGINT) AS total FROM mediaserver_media WHERE user_id IS NULL`,
  );
  return row?.total ?? 0;
}

export interface RemoteRow {
  readonly server_name: ServerName;
  readonly media_id: MediaId;
  readonly file_id: string;
  readonly size: number;
}

/** What was fetched first. */
export function selectOldestRemote(db: Queryable, limit: number): Promise<RemoteRow[]> {
  return db.all<RemoteRow>(sql`
    SELECT server_name, media_id, file_id, size FROM mediaserver_media
    WHERE user_id IS NULL ORDER BY created_ts, server_name, media_id LIMIT ${limit}`);
}

export async function deleteMedia(tx: Transaction, key: MediaKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM mediaserver_media
    WHERE server_name = ${key.serverName} AND media_id = ${key.mediaId}`);
}
