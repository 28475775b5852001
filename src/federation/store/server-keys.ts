// Signing keys of other servers, in the key objects that list them.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { ServerName } from '../../protocol/identifiers.ts';

export interface ServerKeyRow {
  readonly key_id: string;
  /** JSON. */
  readonly key_object: string;
  readonly valid_until: number;
  readonly is_old: number;
  readonly fetched_at: number;
  readonly notary: ServerName | null;
}

export function selectServerKey(
  queryable: Queryable,
  server: ServerName,
  keyId: string,
): Promise<ServerKeyRow | undefined> {
  return queryable.get<ServerKeyRow>(sql`
    SELECT key_id, key_object, valid_until, is_old, fetched_at, notary
    FROM federation_server_keys
    WHERE server_name = ${server} AND key_id = ${keyId}`);
}

/** The last fetched first. */
export function selectServerKeys(
  queryable: Queryable,
  server: ServerName,
): Promise<ServerKeyRow[]> {
  return queryable.all<ServerKeyRow>(sql`
    SELECT key_id, key_object, valid_until, is_old, fetched_at, notary
    FROM federation_server_keys
    WHERE server_name = ${server} ORDER BY fetched_at DESC, key_id`);
}

const COLUMNS = {
  server_name: 'text',
  key_id: 'text',
  key_object: 'text',
  valid_until: 'bigint',
  is_old: 'bigint',
  fetched_at: 'bigint',
  notary: 'text',
} as const;

/** In place of what is known of the same keys. */
export async function insertServerKeys(
  tx: Transaction,
  server: ServerName,
  keys: readonly ServerKeyRow[],
): Promise<void> {
  const data = keys.map((key) => ({ server_name: server, ...key }));
  await tx.run(sql`
    INSERT INTO federation_server_keys
      (server_name, key_id, key_object, valid_until, is_old, fetched_at, notary)
    SELECT server_name, key_id, key_object, valid_until, is_old, fetched_at, notary
    FROM ${rows(COLUMNS, data)} WHERE true
    ON CONFLICT (server_name, key_id) DO UPDATE SET
      key_object = excluded.key_object, valid_until = excluded.valid_until,
      is_old = excluded.is_old, fetched_at = excluded.fetched_at, notary = excluded.notary`);
}

export async function deleteServerKeys(
  tx: Transaction,
  server: ServerName,
  keyIds: readonly string[],
): Promise<void> {
  await tx.run(sql`
    DELETE FROM federation_server_keys
    WHERE server_name = ${server} AND key_id IN ${list('text', keyIds)}`);
}
