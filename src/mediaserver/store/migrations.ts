// The tables of the mediaserver. Files themselves are in the media folder, named by `file_id`.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-media',
    statements: [
      // `file_id` is NULL while an upload is reserved; `unused_expires_ts` is NULL once it has come.
      sql`CREATE TABLE mediaserver_media (
        server_name TEXT_KEY NOT NULL,
        media_id TEXT_KEY NOT NULL,
        user_id TEXT_KEY,
        file_id TEXT_KEY,
        content_type TEXT,
        file_name TEXT,
        size BIGINT,
        created_ts BIGINT NOT NULL,
        unused_expires_ts BIGINT,
        PRIMARY KEY (server_name, media_id)
      )`,
      sql`CREATE INDEX mediaserver_media_file ON mediaserver_media (file_id)`,
      sql`CREATE INDEX mediaserver_media_pending ON mediaserver_media (user_id, unused_expires_ts)`,
      // `variant`: dimensions and method. The file may be that of the media itself.
      sql`CREATE TABLE mediaserver_thumbnails (
        server_name TEXT_KEY NOT NULL,
        media_id TEXT_KEY NOT NULL,
        variant TEXT_KEY NOT NULL,
        file_id TEXT_KEY NOT NULL,
        content_type TEXT NOT NULL,
        PRIMARY KEY (server_name, media_id, variant)
      )`,
      sql`CREATE INDEX mediaserver_thumbnails_file ON mediaserver_thumbnails (file_id)`,
    ],
  },
  {
    name: '0002-remote-media',
    statements: [
      sql`CREATE INDEX mediaserver_media_remote ON mediaserver_media (created_ts) WHERE user_id IS NULL`,
    ],
  },
];
