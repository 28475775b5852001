// All looks across servers, for who wants to know.

import type { Queryable } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface ListedPeek {
  /** `out`: ours into a room of others. `in`: another server's into one of ours. */
  readonly direction: 'in' | 'out';
  readonly roomId: RoomId;
  /** The other one. */
  readonly server: ServerName;
  readonly peekId: string;
  /** ms since the epoch, as all times; 0: not known. */
  readonly sinceTs: number;
  readonly renewedTs: number;
  /** It ends then unless it is renewed. */
  readonly deadlineTs: number;
}

interface ListedRow {
  readonly room_id: RoomId;
  readonly server: ServerName;
  readonly peek_id: string;
  readonly since_ts: number;
  readonly renewed_ts: number;
  readonly deadline_ts: number;
}

/** In order of direction, room and server; those that are not over. */
export async function selectAllPeeks(from: Queryable, now: number): Promise<ListedPeek[]> {
  const inbound = await from.all<ListedRow>(sql`
    SELECT p.room_id, d.server, p.peek_id, p.since_ts, p.renewed_ts, p.expiry_ts AS deadline_ts
    FROM federationsender_inbound_peeks p
    JOIN federationsender_destinations d ON d.id = p.destination_id
    WHERE p.expiry_ts > ${now} ORDER BY p.room_id, d.server, p.peek_id`);
  const outbound = await from.all<ListedRow>(sql`
    SELECT room_id, server, peek_id, since_ts, deadline_ts - renewal_interval AS renewed_ts, deadline_ts
    FROM federationsender_outbound_peeks
    WHERE status = 'active' ORDER BY room_id, server, peek_id`);
  return [...inbound.map(listed('in')), ...outbound.map(listed('out'))];
}

function listed(direction: ListedPeek['direction']) {
  return (row: ListedRow): ListedPeek => ({
    direction,
    roomId: row.room_id,
    server: row.server,
    peekId: row.peek_id,
    sinceTs: row.since_ts,
    renewedTs: row.renewed_ts,
    deadlineTs: row.deadline_ts,
  });
}
