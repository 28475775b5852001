// The tables of the federation library.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-server-keys',
    statements: [
      // For each key the last key object that lists it, as it was signed. `valid_until`: ms since the epoch, until when
      // signatures by the key are believed. `is_old`: it stands in old_verify_keys.
      sql`CREATE TABLE federation_server_keys (
        server_name TEXT_KEY NOT NULL,
        key_id TEXT_KEY NOT NULL,
        key_object TEXT NOT NULL,
        valid_until BIGINT NOT NULL,
        is_old BIGINT NOT NULL,
        fetched_at BIGINT NOT NULL,
        PRIMARY KEY (server_name, key_id)
      )`,
    ],
  },
  {
    name: '0002-notaries',
    statements: [
      // On whose word alone the key is believed; NULL: the server's own.
      sql`ALTER TABLE federation_server_keys ADD COLUMN notary TEXT_KEY`,
    ],
  },
];
