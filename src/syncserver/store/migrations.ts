// The tables of the syncserver.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-streams-and-peeks',
    statements: [
      // One row per entry of the log that shows in a room. `position` is that of the entry, negated for backfilled
      // history. `kind`: 0 event, 1 state changed without an event, 2 the timeline starts anew here.
      // `current_state` NULL: as `state_before`. `linear`: all that changed of the state is this event.
      sql`CREATE TABLE syncapi_timeline (
        position BIGINT PRIMARY KEY,
        room_id TEXT_KEY NOT NULL,
        kind BIGINT NOT NULL,
        event_id TEXT_KEY,
        type TEXT NOT NULL,
        sender TEXT NOT NULL,
        state_key TEXT,
        depth BIGINT NOT NULL,
        state_before TEXT NOT NULL,
        current_state TEXT,
        visibility TEXT NOT NULL,
        linear BIGINT NOT NULL,
        contains_url BIGINT NOT NULL,
        rel_type TEXT,
        relates_to TEXT_KEY,
        received_ts BIGINT NOT NULL,
        device_id TEXT,
        transaction_id TEXT
      )`,
      sql`CREATE INDEX syncapi_timeline_by_room ON syncapi_timeline (room_id, position)`,
      sql`CREATE INDEX syncapi_timeline_by_depth ON syncapi_timeline (room_id, depth, position)`,
      sql`CREATE INDEX syncapi_timeline_by_event ON syncapi_timeline (event_id)`,
      sql`CREATE INDEX syncapi_timeline_by_relation ON syncapi_timeline (relates_to)
        WHERE relates_to IS NOT NULL`,

      // History of the memberships of local users; `until_position` NULL: holds now. `stripped_state` (JSON) only
      // for invites to, and knocks on, rooms in which this server is not.
      sql`CREATE TABLE syncapi_memberships (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        membership TEXT NOT NULL,
        event_id TEXT_KEY NOT NULL,
        until_position BIGINT,
        forgotten BIGINT NOT NULL,
        stripped_state TEXT,
        PRIMARY KEY (user_id, room_id, position)
      )`,
      sql`CREATE INDEX syncapi_memberships_by_room ON syncapi_memberships (room_id, membership)
        WHERE until_position IS NULL`,

      // One row per time that a device looked; gone once the device has synced past its end.
      sql`CREATE TABLE syncapi_peeks (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        via TEXT_KEY NOT NULL,
        started_position BIGINT NOT NULL,
        ended_position BIGINT,
        expiry_ts BIGINT NOT NULL,
        PRIMARY KEY (user_id, device_id, room_id, via, started_position)
      )`,
      sql`CREATE INDEX syncapi_peeks_by_room ON syncapi_peeks (room_id)
        WHERE ended_position IS NULL`,
      sql`CREATE INDEX syncapi_peeks_by_expiry ON syncapi_peeks (expiry_ts)`,
      sql`CREATE TABLE syncapi_peek_interest (
        room_id TEXT_KEY NOT NULL PRIMARY KEY,
        wanted BIGINT NOT NULL,
        sequence BIGINT NOT NULL,
        published_ts BIGINT NOT NULL
      )`,

      // `thread_id` '': unthreaded. `event_position` orders receipts of one user.
      sql`CREATE TABLE syncapi_receipts (
        room_id TEXT_KEY NOT NULL,
        user_id TEXT_KEY NOT NULL,
        type TEXT_KEY NOT NULL,
        thread_id TEXT_KEY NOT NULL,
        event_id TEXT_KEY NOT NULL,
        event_position BIGINT NOT NULL,
        ts BIGINT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (room_id, user_id, type, thread_id)
      )`,
      sql`CREATE INDEX syncapi_receipts_by_position ON syncapi_receipts (room_id, position)`,

      // When account data last changed; its content is the userserver's. `room_id` '': global.
      sql`CREATE TABLE syncapi_account_data (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        type TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (user_id, room_id, type)
      )`,

      // Messages that the device has not acknowledged. `content` is JSON.
      sql`CREATE TABLE syncapi_to_device (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        sender TEXT NOT NULL,
        type TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (user_id, device_id, position)
      )`,
    ],
  },
  {
    name: '0002-initial-syncs',
    statements: [
      // Where a device's last initialSync ended. `room_id` '': that of all rooms.
      sql`CREATE TABLE syncapi_initial_syncs (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        token TEXT NOT NULL,
        ts BIGINT NOT NULL,
        PRIMARY KEY (user_id, device_id, room_id)
      )`,
      sql`CREATE INDEX syncapi_initial_syncs_by_ts ON syncapi_initial_syncs (ts)`,
    ],
  },
  {
    name: '0003-purges',
    statements: [
      // Rooms that are gone but of which rows up to the position are left.
      sql`CREATE TABLE syncapi_purges (
        room_id TEXT_KEY NOT NULL PRIMARY KEY,
        position BIGINT NOT NULL
      )`,
      sql`CREATE INDEX syncapi_memberships_of_room ON syncapi_memberships (room_id, position)`,
      sql`DROP INDEX syncapi_peeks_by_room`,
      sql`CREATE INDEX syncapi_peeks_of_room ON syncapi_peeks (room_id)`,
    ],
  },
  {
    name: '0004-endings-of-peeks',
    statements: [
      // 'expiry': its time was over; 'purge': the room is gone; NULL: it goes on, or the log says why it ended.
      sql`ALTER TABLE syncapi_peeks ADD COLUMN ending TEXT`,
      sql`DROP INDEX syncapi_peeks_of_room`,
      sql`CREATE INDEX syncapi_peeks_of_room ON syncapi_peeks (room_id, expiry_ts)`,
    ],
  },
  {
    name: '0005-device-lists',
    statements: [
      // When a user's devices or cross-signing keys last changed. `seen_by` '': to all who share a room with her.
      sql`CREATE TABLE syncapi_device_lists (
        user_id TEXT_KEY NOT NULL,
        seen_by TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (user_id, seen_by)
      )`,
      sql`CREATE INDEX syncapi_device_lists_by_position ON syncapi_device_lists (seen_by, position)`,
      // Users of other servers in the rooms that they have joined.
      sql`CREATE TABLE syncapi_remote_members (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        PRIMARY KEY (user_id, room_id)
      )`,
      sql`CREATE INDEX syncapi_remote_members_of_room ON syncapi_remote_members (room_id)`,
    ],
  },
];
