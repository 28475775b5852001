// The tables of the federationsender. Destinations go by number, since a row of the queue is written for each of them.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-rooms-destinations-and-queues',
    statements: [
      // `proven`: the last attempt was answered. `failing_since`, `retry_at` (ms since the epoch) and
      // `retry_interval` (ms) are 0 when nothing failed. `catching_up`: what it misses is in _missed, not in _queue.
      sql`CREATE TABLE federationsender_destinations (
        id BIGINT PRIMARY KEY,
        server TEXT_KEY NOT NULL,
        proven BIGINT NOT NULL,
        failing_since BIGINT NOT NULL,
        failed_at BIGINT NOT NULL,
        retry_at BIGINT NOT NULL,
        retry_interval BIGINT NOT NULL,
        catching_up BIGINT NOT NULL
      )`,
      sql`CREATE UNIQUE INDEX federationsender_destinations_by_server
        ON federationsender_destinations (server)`,
      sql`CREATE INDEX federationsender_destinations_by_retry
        ON federationsender_destinations (retry_at) WHERE retry_at > 0`,

      // Rooms that other servers are, or have been, told of. Positions in _pdus of the last event relayed to anybody,
      // and of the last one that this server sent in its own name.
      sql`CREATE TABLE federationsender_rooms (
        room_id TEXT_KEY NOT NULL PRIMARY KEY,
        latest BIGINT,
        latest_own BIGINT
      )`,
      // How many joined members each other server has in a room.
      sql`CREATE TABLE federationsender_hosts (
        room_id TEXT_KEY NOT NULL,
        destination_id BIGINT NOT NULL,
        members BIGINT NOT NULL,
        PRIMARY KEY (room_id, destination_id)
      )`,
      sql`CREATE TABLE federationsender_local_members (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        PRIMARY KEY (user_id, room_id)
      )`,
      sql`CREATE INDEX federationsender_local_members_of_room
        ON federationsender_local_members (room_id)`,

      // Each event once, by its position in the log; _queue says who has not got it yet.
      sql`CREATE TABLE federationsender_pdus (
        position BIGINT PRIMARY KEY,
        room_id TEXT_KEY NOT NULL,
        json TEXT NOT NULL
      )`,
      sql`CREATE TABLE federationsender_queue (
        destination_id BIGINT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (destination_id, position)
      )`,
      // Rooms of which a destination that catches up has missed events. `until_position`: the last event that it may
      // see; NULL: it is there still, and gets the latest.
      sql`CREATE TABLE federationsender_missed (
        destination_id BIGINT NOT NULL,
        room_id TEXT_KEY NOT NULL,
        until_position BIGINT,
        PRIMARY KEY (destination_id, room_id)
      )`,
      sql`CREATE INDEX federationsender_missed_of_room ON federationsender_missed (room_id)`,

      // The transaction that a destination has not answered yet. `parts` (JSON): which rows it is made of;
      // `edus` (JSON): as they were sent, since they may be made of nothing that is kept.
      sql`CREATE TABLE federationsender_transactions (
        destination_id BIGINT PRIMARY KEY,
        txn_id TEXT NOT NULL,
        origin_server_ts BIGINT NOT NULL,
        parts TEXT NOT NULL,
        edus TEXT NOT NULL,
        refusals BIGINT NOT NULL
      )`,

      // Messages to devices of the destination's users. `edu` is JSON.
      sql`CREATE TABLE federationsender_to_device (
        destination_id BIGINT NOT NULL,
        position BIGINT NOT NULL,
        edu TEXT NOT NULL,
        PRIMARY KEY (destination_id, position)
      )`,

      // Servers that look into rooms of ours, and the place in the log from which on they are told.
      sql`CREATE TABLE federationsender_inbound_peeks (
        room_id TEXT_KEY NOT NULL,
        destination_id BIGINT NOT NULL,
        peek_id TEXT_KEY NOT NULL,
        expiry_ts BIGINT NOT NULL,
        cut_position BIGINT NOT NULL,
        PRIMARY KEY (room_id, destination_id, peek_id)
      )`,
      sql`CREATE INDEX federationsender_inbound_peeks_by_expiry
        ON federationsender_inbound_peeks (expiry_ts)`,
    ],
  },
  {
    name: '0002-peeks',
    statements: [
      // Looks of other servers that have ended, of which they are still to be told.
      sql`CREATE TABLE federationsender_expired_peeks (
        destination_id BIGINT NOT NULL,
        room_id TEXT_KEY NOT NULL,
        peek_id TEXT_KEY NOT NULL,
        PRIMARY KEY (destination_id, room_id, peek_id)
      )`,
      sql`CREATE INDEX federationsender_inbound_peeks_by_destination
        ON federationsender_inbound_peeks (destination_id)`,

      // Our own. `status`: pending, active, ended. `next_ts`: when to renew, or to tell of the end; ms, as all times.
      sql`CREATE TABLE federationsender_outbound_peeks (
        room_id TEXT_KEY NOT NULL,
        server TEXT_KEY NOT NULL,
        peek_id TEXT_KEY NOT NULL,
        status TEXT NOT NULL,
        dialect TEXT NOT NULL,
        renewal_interval BIGINT NOT NULL,
        deadline_ts BIGINT NOT NULL,
        next_ts BIGINT NOT NULL,
        failures BIGINT NOT NULL,
        PRIMARY KEY (room_id, server, peek_id)
      )`,
      sql`CREATE INDEX federationsender_outbound_peeks_by_next_ts
        ON federationsender_outbound_peeks (next_ts) WHERE status <> 'pending'`,
    ],
  },
  {
    name: '0003-strangers-and-device-lists',
    statements: [
      // `answered`: it has answered at some time.
      sql`ALTER TABLE federationsender_destinations ADD COLUMN answered BIGINT NOT NULL DEFAULT 0`,
      sql`UPDATE federationsender_destinations SET answered = proven`,
      // `about`: whose devices or keys changed, where a later row says so as well; NULL: it says what no other does.
      sql`ALTER TABLE federationsender_to_device ADD COLUMN about TEXT_KEY`,
      sql`CREATE INDEX federationsender_to_device_about
        ON federationsender_to_device (destination_id, about) WHERE about IS NOT NULL`,
    ],
  },
  {
    name: '0004-times-of-peeks',
    statements: [
      // For who lists them; 0: it began before they were kept.
      sql`ALTER TABLE federationsender_inbound_peeks ADD COLUMN since_ts BIGINT NOT NULL DEFAULT 0`,
      sql`ALTER TABLE federationsender_inbound_peeks ADD COLUMN renewed_ts BIGINT NOT NULL DEFAULT 0`,
      sql`ALTER TABLE federationsender_outbound_peeks ADD COLUMN since_ts BIGINT NOT NULL DEFAULT 0`,
    ],
  },
  {
    name: '0005-extremities',
    statements: [
      // Of rooms into which other servers look: those of the forward extremities that were relayed, as positions in _pdus.
      sql`CREATE TABLE federationsender_extremities (
        room_id TEXT_KEY NOT NULL,
        event_id TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (room_id, event_id)
      )`,
      // Until the next event of the room.
      sql`INSERT INTO federationsender_extremities (room_id, event_id, position)
        SELECT room_id, '', latest FROM federationsender_rooms WHERE latest IS NOT NULL`,
      sql`ALTER TABLE federationsender_rooms DROP COLUMN latest`,
    ],
  },
  {
    name: '0006-hosts-that-are-away',
    statements: [
      // 0: events of the room are queued for it. 1: it catches up, and the room's next event is to be noted in _missed. 2: it
      // has been, so that no further one costs anything.
      sql`ALTER TABLE federationsender_hosts ADD COLUMN away BIGINT NOT NULL DEFAULT 0`,
      sql`UPDATE federationsender_hosts SET away = 1 WHERE destination_id IN (
        SELECT id FROM federationsender_destinations WHERE catching_up = 1)`,
      sql`CREATE INDEX federationsender_hosts_by_away
        ON federationsender_hosts (room_id, away, destination_id)`,
      sql`CREATE INDEX federationsender_hosts_of_destination
        ON federationsender_hosts (destination_id)`,
    ],
  },
  {
    name: '0007-changes-of-devices',
    statements: [
      // The last change of each user's devices, and of her keys, for destinations that catch up, and those that she meets in a room.
      // `seq`: in the order in which they came to be here; the greatest is never deleted.
      sql`CREATE TABLE federationsender_changes (
        seq BIGINT PRIMARY KEY,
        about TEXT_KEY NOT NULL,
        user_id TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        edu TEXT NOT NULL
      )`,
      sql`CREATE UNIQUE INDEX federationsender_changes_about ON federationsender_changes (about)`,
      // The last of them that a destination which catches up is not owed.
      sql`ALTER TABLE federationsender_destinations
        ADD COLUMN changes_until BIGINT NOT NULL DEFAULT 0`,
    ],
  },
  {
    name: '0008-queues-by-position',
    statements: [
      // Whether anybody waits for an event.
      sql`CREATE INDEX federationsender_queue_by_position ON federationsender_queue (position)`,
    ],
  },
];
