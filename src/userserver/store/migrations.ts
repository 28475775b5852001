// The tables of the userserver.

import type { Migration } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';

export const migrations: readonly Migration[] = [
  {
    name: '0001-accounts',
    statements: [
      // `revision` is raised to lock the account; see store/accounts.ts.
      sql`CREATE TABLE userserver_accounts (
        user_id TEXT_KEY NOT NULL PRIMARY KEY,
        password_hash TEXT,
        is_guest BIGINT NOT NULL,
        is_admin BIGINT NOT NULL,
        is_deactivated BIGINT NOT NULL,
        created_ts BIGINT NOT NULL,
        revision BIGINT NOT NULL
      )`,
      sql`CREATE TABLE userserver_devices (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        display_name TEXT,
        created_ts BIGINT NOT NULL,
        last_seen_ts BIGINT,
        last_seen_ip TEXT,
        last_seen_user_agent TEXT,
        PRIMARY KEY (user_id, device_id)
      )`,
      // One row is one generation of a device's tokens. `replaces`: the access hash of the generation
      // before, which lives until this one is first used.
      sql`CREATE TABLE userserver_sessions (
        access_hash TEXT_KEY NOT NULL PRIMARY KEY,
        refresh_hash TEXT_KEY UNIQUE,
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        expires_ts BIGINT,
        replaces TEXT_KEY
      )`,
      sql`CREATE INDEX userserver_sessions_device ON userserver_sessions (user_id, device_id)`,
      sql`CREATE INDEX userserver_sessions_replaces ON userserver_sessions (replaces)`,
      // Login tokens and OpenID tokens.
      sql`CREATE TABLE userserver_short_tokens (
        token_hash TEXT_KEY NOT NULL PRIMARY KEY,
        purpose TEXT_KEY NOT NULL,
        user_id TEXT_KEY NOT NULL,
        expires_ts BIGINT NOT NULL
      )`,
      sql`CREATE INDEX userserver_short_tokens_user ON userserver_short_tokens (user_id)`,
    ],
  },
  {
    name: '0002-user-data',
    statements: [
      // `search_key`: what the user directory looks into, in lower case.
      sql`CREATE TABLE userserver_profiles (
        user_id TEXT_KEY NOT NULL PRIMARY KEY,
        displayname TEXT,
        avatar_url TEXT,
        fields TEXT NOT NULL,
        search_key TEXT NOT NULL
      )`,
      // `room_id` is empty for global account data.
      sql`CREATE TABLE userserver_account_data (
        user_id TEXT_KEY NOT NULL,
        room_id TEXT_KEY NOT NULL,
        type TEXT_KEY NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (user_id, room_id, type)
      )`,
      sql`CREATE TABLE userserver_filters (
        user_id TEXT_KEY NOT NULL,
        filter_id TEXT_KEY NOT NULL,
        filter TEXT NOT NULL,
        PRIMARY KEY (user_id, filter_id)
      )`,
      // What the user has changed about the default rules.
      sql`CREATE TABLE userserver_push_rules (
        user_id TEXT_KEY NOT NULL PRIMARY KEY,
        changes TEXT NOT NULL
      )`,
      sql`CREATE TABLE userserver_pushers (
        user_id TEXT_KEY NOT NULL,
        app_id TEXT_KEY NOT NULL,
        pushkey TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        pusher TEXT NOT NULL,
        PRIMARY KEY (user_id, app_id, pushkey)
      )`,
      sql`CREATE INDEX userserver_pushers_key ON userserver_pushers (app_id, pushkey)`,
    ],
  },
  {
    name: '0003-size-of-account-data',
    statements: [
      // What each account has of account data, entries counted by their content and a little more.
      sql`ALTER TABLE userserver_accounts ADD COLUMN account_data_bytes BIGINT NOT NULL DEFAULT 0`,
    ],
  },
  {
    name: '0004-end-to-end-keys',
    statements: [
      // The stream of `m.device_list_update`: how many changes of the user's device list have been announced.
      sql`ALTER TABLE userserver_accounts ADD COLUMN device_list_stream BIGINT NOT NULL DEFAULT 0`,
      // `keys` is JSON as uploaded, with no signatures but the device's own.
      sql`CREATE TABLE userserver_device_keys (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        keys TEXT NOT NULL,
        PRIMARY KEY (user_id, device_id)
      )`,
      // `batch` rises with every upload of the device: keys are given out in that order.
      sql`CREATE TABLE userserver_one_time_keys (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        algorithm TEXT_KEY NOT NULL,
        key_id TEXT_KEY NOT NULL,
        batch BIGINT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (user_id, device_id, algorithm, key_id)
      )`,
      sql`CREATE INDEX userserver_one_time_keys_order
        ON userserver_one_time_keys (user_id, device_id, algorithm, batch, key_id)`,
      sql`CREATE TABLE userserver_fallback_keys (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        algorithm TEXT_KEY NOT NULL,
        key_id TEXT_KEY NOT NULL,
        key TEXT NOT NULL,
        used BIGINT NOT NULL,
        PRIMARY KEY (user_id, device_id, algorithm)
      )`,
      // `usage`: master, self_signing or user_signing. `public_key` in unpadded base64.
      sql`CREATE TABLE userserver_cross_signing_keys (
        user_id TEXT_KEY NOT NULL,
        usage TEXT_KEY NOT NULL,
        public_key TEXT_KEY NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (user_id, usage)
      )`,
      // Signatures that were checked. The target is a device, or a master key by its public key.
      sql`CREATE TABLE userserver_key_signatures (
        target_user_id TEXT_KEY NOT NULL,
        target_key_id TEXT_KEY NOT NULL,
        signer_user_id TEXT_KEY NOT NULL,
        signer_key_id TEXT_KEY NOT NULL,
        signature TEXT NOT NULL,
        PRIMARY KEY (target_user_id, target_key_id, signer_user_id, signer_key_id)
      )`,
      sql`CREATE INDEX userserver_key_signatures_signer
        ON userserver_key_signatures (signer_user_id, signer_key_id)`,
    ],
  },
  {
    name: '0005-key-backups',
    statements: [
      // A deleted backup leaves its number behind, so that it is not given again.
      sql`CREATE TABLE userserver_key_backups (
        user_id TEXT_KEY NOT NULL,
        version BIGINT NOT NULL,
        algorithm TEXT NOT NULL,
        auth_data TEXT NOT NULL,
        etag BIGINT NOT NULL,
        is_deleted BIGINT NOT NULL,
        PRIMARY KEY (user_id, version)
      )`,
      sql`CREATE TABLE userserver_room_keys (
        user_id TEXT_KEY NOT NULL,
        version BIGINT NOT NULL,
        room_id TEXT_KEY NOT NULL,
        session_id TEXT_KEY NOT NULL,
        first_message_index BIGINT NOT NULL,
        forwarded_count BIGINT NOT NULL,
        is_verified BIGINT NOT NULL,
        session_data TEXT NOT NULL,
        PRIMARY KEY (user_id, version, room_id, session_id)
      )`,
    ],
  },
  {
    name: '0006-remote-device-lists',
    statements: [
      // Device lists of users of other servers, as far as they are followed. `is_stale`: to be fetched again before use.
      sql`CREATE TABLE userserver_remote_device_lists (
        user_id TEXT_KEY NOT NULL PRIMARY KEY,
        stream_id BIGINT NOT NULL,
        is_stale BIGINT NOT NULL,
        master_key TEXT,
        self_signing_key TEXT
      )`,
      sql`CREATE TABLE userserver_remote_devices (
        user_id TEXT_KEY NOT NULL,
        device_id TEXT_KEY NOT NULL,
        display_name TEXT,
        keys TEXT,
        PRIMARY KEY (user_id, device_id)
      )`,
    ],
  },
];
