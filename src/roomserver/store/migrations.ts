// The tables of the roomserver.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-rooms-and-events',
    statements: [
      // One row per room: its head. `extremities` is JSON: [[event id, depth, state after], …].
      sql`CREATE TABLE roomserver_rooms (
        room_id TEXT_KEY NOT NULL PRIMARY KEY,
        room_version TEXT NOT NULL,
        creator TEXT NOT NULL,
        create_event_id TEXT NOT NULL,
        extremities TEXT NOT NULL,
        current_state TEXT NOT NULL,
        joined_members BIGINT NOT NULL,
        invited_members BIGINT NOT NULL,
        local_members BIGINT NOT NULL,
        visibility TEXT NOT NULL,
        encrypted BIGINT NOT NULL
      )`,
      // `standing`: accepted, old, outlier, softFailed, rejected. `state_after` only where it differs from
      // `state_before`. `json` is the redacted form once `redacted_by` is set.
      sql`CREATE TABLE roomserver_events (
        event_id TEXT_KEY NOT NULL PRIMARY KEY,
        room_id TEXT_KEY NOT NULL,
        room_version TEXT NOT NULL,
        type TEXT NOT NULL,
        sender TEXT NOT NULL,
        depth BIGINT NOT NULL,
        standing TEXT NOT NULL,
        reason TEXT,
        state_before TEXT,
        state_after TEXT,
        replaces_state TEXT,
        visibility TEXT,
        redacted_by TEXT,
        json TEXT NOT NULL
      )`,
      sql`CREATE INDEX roomserver_events_by_depth ON roomserver_events (room_id, depth)`,
      // Events that others name in prev_events but that are not here: where backfill goes on.
      sql`CREATE TABLE roomserver_missing_events (
        room_id TEXT_KEY NOT NULL,
        event_id TEXT_KEY NOT NULL,
        referenced_by TEXT_KEY NOT NULL,
        PRIMARY KEY (room_id, event_id, referenced_by)
      )`,
      // Redactions that wait for the event that they redact.
      sql`CREATE TABLE roomserver_waiting_redactions (
        room_id TEXT_KEY NOT NULL,
        redacts TEXT_KEY NOT NULL,
        redaction_id TEXT_KEY NOT NULL,
        PRIMARY KEY (room_id, redacts, redaction_id)
      )`,
      sql`CREATE TABLE roomserver_state_nodes (
        room_id TEXT_KEY NOT NULL,
        node_id TEXT_KEY NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (room_id, node_id)
      )`,
    ],
  },
  {
    name: '0002-members-and-transactions',
    statements: [
      // Local users only, by the current state. `forgotten` and `guest` are 0 or 1.
      sql`CREATE TABLE roomserver_memberships (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        membership TEXT NOT NULL,
        event_id TEXT NOT NULL,
        forgotten BIGINT NOT NULL,
        guest BIGINT NOT NULL,
        PRIMARY KEY (user_id, room_id)
      )`,
      sql`CREATE INDEX roomserver_memberships_by_room ON roomserver_memberships (room_id)`,
      // Number of joined users per server.
      sql`CREATE TABLE roomserver_joined_hosts (
        room_id TEXT_KEY NOT NULL,
        host TEXT_KEY NOT NULL,
        joined BIGINT NOT NULL,
        PRIMARY KEY (room_id, host)
      )`,
      // `id` is 1,000 times the time of sending in ms, plus a number that makes it unique: what is old goes by it.
      // Clients' ids come first in the key: they often rise with time, so that new ones are neighbours in the index.
      sql`CREATE TABLE roomserver_transactions (
        id BIGINT PRIMARY KEY,
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        scope TEXT_KEY NOT NULL,
        transaction_id TEXT_KEY NOT NULL,
        event_id TEXT NOT NULL,
        UNIQUE (transaction_id, device_id, user_id, scope)
      )`,
    ],
  },
  {
    name: '0003-directory',
    statements: [
      sql`CREATE TABLE roomserver_aliases (
        alias TEXT_KEY NOT NULL PRIMARY KEY,
        room_id TEXT_KEY NOT NULL,
        creator TEXT NOT NULL,
        created_at BIGINT NOT NULL
      )`,
      sql`CREATE INDEX roomserver_aliases_by_room ON roomserver_aliases (room_id)`,
      sql`CREATE TABLE roomserver_published (room_id TEXT_KEY NOT NULL PRIMARY KEY)`,
    ],
  },
  {
    name: '0004-work-to-be-finished',
    statements: [
      // Profiles and deactivations that have to reach the rooms of a user: `kind` is profile or deactivation.
      sql`CREATE TABLE roomserver_user_changes (
        user_id TEXT_KEY NOT NULL,
        kind TEXT_KEY NOT NULL,
        position BIGINT NOT NULL,
        displayname TEXT,
        avatar_url TEXT,
        PRIMARY KEY (user_id, kind)
      )`,
      sql`CREATE INDEX roomserver_user_changes_by_position ON roomserver_user_changes (position)`,
      // Rooms that are gone but of which rows are left.
      sql`CREATE TABLE roomserver_purges (room_id TEXT_KEY NOT NULL PRIMARY KEY)`,
    ],
  },
  {
    name: '0005-looks-into-rooms-of-others',
    statements: [
      sql`CREATE TABLE roomserver_outbound_peeks (
        room_id TEXT_KEY NOT NULL,
        server TEXT_KEY NOT NULL,
        peek_id TEXT NOT NULL,
        PRIMARY KEY (room_id, server)
      )`,
      // Whether anybody here looks into the room, as the syncserver says; the greatest `sequence` holds.
      sql`CREATE TABLE roomserver_peek_interest (
        room_id TEXT_KEY NOT NULL PRIMARY KEY,
        wanted BIGINT NOT NULL,
        sequence BIGINT NOT NULL
      )`,
    ],
  },
  {
    name: '0006-rooms-of-others',
    statements: [
      // Invites and knocks of local users in rooms in which this server is not: `membership` is invite or knock.
      sql`CREATE TABLE roomserver_invites (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        event_id TEXT NOT NULL,
        membership TEXT NOT NULL,
        room_version TEXT NOT NULL,
        server TEXT NOT NULL,
        PRIMARY KEY (user_id, room_id)
      )`,
      sql`CREATE INDEX roomserver_invites_by_room ON roomserver_invites (room_id)`,
      // Events that others sent, verified and not yet received: a row goes when its event has met its fate. `signed_by`
      // is JSON: the servers whose valid signatures it carries. `received_at` is in ms since the epoch.
      sql`CREATE TABLE roomserver_staged_pdus (
        id BIGINT PRIMARY KEY,
        room_id TEXT_KEY NOT NULL,
        event_id TEXT_KEY NOT NULL,
        origin TEXT_KEY NOT NULL,
        signed_by TEXT NOT NULL,
        json TEXT NOT NULL,
        received_at BIGINT NOT NULL,
        UNIQUE (room_id, event_id)
      )`,
      sql`CREATE INDEX roomserver_staged_pdus_by_origin ON roomserver_staged_pdus (room_id, origin, id)`,
    ],
  },
  {
    name: '0007-lacking-members',
    statements: [
      sql`CREATE TABLE roomserver_lacking_members (
        room_id TEXT_KEY NOT NULL,
        user_id TEXT_KEY NOT NULL,
        event_id TEXT NOT NULL,
        PRIMARY KEY (room_id, user_id)
      )`,
    ],
  },
  {
    name: '0008-lacking-members-by-what-is-said',
    statements: [sql`ALTER TABLE roomserver_lacking_members DROP COLUMN event_id`],
  },
];
