// The table of the federationapi: it owns no data but what tells repetitions.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-received-messages',
    statements: [
      // To-device messages that have been handed to the event log: servers repeat them until they are answered.
      sql`CREATE TABLE federationapi_received_messages (
        sender TEXT_KEY NOT NULL,
        message_id TEXT_KEY NOT NULL,
        received_ts BIGINT NOT NULL,
        PRIMARY KEY (sender, message_id)
      )`,
      sql`CREATE INDEX federationapi_received_messages_by_ts ON federationapi_received_messages (received_ts)`,
    ],
  },
];
