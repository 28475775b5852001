// userserver_remote_device_lists and userserver_remote_devices: devices and cross-signing keys of users of other servers.

import type { Queryable } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { UserId } from '../../protocol/identifiers.ts';

/** JSON. */
export async function selectRemoteMasterKey(
  db: Queryable,
  userId: UserId,
): Promise<string | undefined> {
  const row = await db.get<{ master_key: string | null }>(sql`
    SELECT master_key FROM userserver_remote_device_lists WHERE user_id = ${userId}`);
  return row?.master_key ?? undefined;
}
