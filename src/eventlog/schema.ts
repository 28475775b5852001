// Tables of the embedded event log. Consumers' positions and parked entries lie in the consumer's own database,
// which is the log's own when everything runs in one process.

import type { Migration } from '../database/database.ts';
import { sql } from '../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-entries-and-consumers',
    statements: [
      sql`CREATE TABLE eventlog_entries (
        id BIGINT PRIMARY KEY,
        topic TEXT_KEY NOT NULL,
        key TEXT_KEY NOT NULL,
        position BIGINT,
        appended_at BIGINT NOT NULL,
        entry TEXT NOT NULL
      )`,
      sql`CREATE UNIQUE INDEX eventlog_entries_position ON eventlog_entries (topic, position)`,
      sql`CREATE INDEX eventlog_entries_unsequenced ON eventlog_entries (id) WHERE position IS NULL`,
      sql`CREATE TABLE eventlog_consumers (
        consumer TEXT_KEY NOT NULL,
        topic TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (consumer, topic)
      )`,
      sql`CREATE TABLE eventlog_parked (
        consumer TEXT_KEY NOT NULL,
        topic TEXT_KEY NOT NULL,
        key TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        parked_at BIGINT NOT NULL,
        error TEXT NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (consumer, topic, key, position)
      )`,
    ],
  },
];
