// federationsender_outbound_peeks: our subscriptions at other servers. `next_ts`: when to renew an active one, when to
// tell the server of the end of an ended one.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { OutboundPeekKey } from '../peek-api.ts';

/** `pending`: the roomserver has not stored what came with it yet. `ended`: the server is still to be told. */
export type PeekStatus = 'pending' | 'active' | 'ended';

/** In whose words the server has answered, and wants to be spoken to. */
export type PeekDialect = 'msc2444' | 'dendrite' | 'palpo';

export interface OutboundPeekRow extends OutboundPeekKey {
  readonly status: PeekStatus;
  readonly dialect: PeekDialect;
  /** ms. */
  readonly renewalInterval: number;
  /** ms since the epoch: the server forgets it then unless it is renewed. */
  readonly deadlineTs: number;
  /** ms since the epoch. */
  readonly nextTs: number;
  /** In a row, of what was to be done at `nextTs`. */
  readonly failures: number;
}

interface Stored {
  readonly room_id: RoomId;
  readonly server: ServerName;
  readonly peek_id: string;
  readonly status: PeekStatus;
  readonly dialect: PeekDialect;
  readonly renewal_interval: number;
  readonly deadline_ts: number;
  readonly next_ts: number;
  readonly failures: number;
}

function fromStored(row: Stored): OutboundPeekRow {
  return {
    roomId: row.room_id,
    server: row.server,
    peekId: row.peek_id,
    status: row.status,
    dialect: row.dialect,
    renewalInterval: row.renewal_interval,
    deadlineTs: row.deadline_ts,
    nextTs: row.next_ts,
    failures: row.failures,
  };
}

/** It counts as begun when it is first written. */
export async function upsertOutboundPeek(tx: Transaction, peek: OutboundPeekRow): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_outbound_peeks (room_id, server, peek_id, status, dialect,
      renewal_interval, deadline_ts, next_ts, failures, since_ts)
    VALUES (${peek.roomId}, ${peek.server}, ${peek.peekId}, ${peek.status}, ${peek.dialect},
      ${peek.renewalInterval}, ${peek.deadlineTs}, ${peek.nextTs}, ${peek.failures},
      ${peek.deadlineTs - peek.renewalInterval})
    ON CONFLICT (room_id, server, peek_id) DO UPDATE SET status = excluded.status,
      dialect = excluded.dialect, renewal_interval = excluded.renewal_interval,
      deadline_ts = excluded.deadline_ts, next_ts = excluded.next_ts, failures = excluded.failures`);
}

export async function selectOutboundPeek(
  from: Queryable,
  { roomId, server, peekId }: OutboundPeekKey,
): Promise<OutboundPeekRow | undefined> {
  const found = await from.get<Stored>(sql`
    SELECT * FROM federationsender_outbound_peeks
    WHERE room_id = ${roomId} AND server = ${server} AND peek_id = ${peekId}`);
  return found && fromStored(found);
}

/**
 * One of each server of which something is to be done by now: a renewal before the end of another. Pending ones are nobody's
 * business yet.
 */
export async function selectDueOutboundPeeks(
  from: Queryable,
  range: { readonly now: number; readonly limit: number; readonly except: readonly ServerName[] },
): Promise<OutboundPeekRow[]> {
  const found = await from.all<Stored>(sql`
    SELECT * FROM (
      SELECT p.*, ROW_NUMBER() OVER (PARTITION BY server ORDER BY status, next_ts) AS place
      FROM federationsender_outbound_peeks p
      WHERE next_ts <= ${range.now} AND status <> 'pending'
        AND server NOT IN ${list('text', range.except)}) AS due
    WHERE place = 1 ORDER BY status, next_ts LIMIT ${range.limit}`);
  return found.map(fromStored);
}

/** ms since the epoch: the first one later than that. Undefined when there is none. */
export async function selectNextOutboundPeekTs(
  from: Queryable,
  after: number,
): Promise<number | undefined> {
  const found = await from.get<{ next_ts: number | null }>(sql`
    SELECT min(next_ts) AS next_ts FROM federationsender_outbound_peeks
    WHERE status <> 'pending' AND next_ts > ${after}`);
  return found?.next_ts ?? undefined;
}

/** The server cannot be told of ends now: all that are due are left for later, and those that were tried so often are given up. */
export async function updateEndingsFailed(
  tx: Transaction,
  server: ServerName,
  times: { readonly now: number; readonly nextTs: number; readonly maxFailures: number },
): Promise<void> {
  // That they are not pending is what SQLite finds the index by.
  await tx.run(sql`
    DELETE FROM federationsender_outbound_peeks
    WHERE next_ts <= ${times.now} AND status <> 'pending' AND status = 'ended'
      AND server = ${server} AND failures >= ${times.maxFailures}`);
  await tx.run(sql`
    UPDATE federationsender_outbound_peeks SET failures = failures + 1, next_ts = ${times.nextTs}
    WHERE next_ts <= ${times.now} AND status <> 'pending' AND status = 'ended'
      AND server = ${server}`);
}

/** What was pending when the process ended has been stored by nobody: the servers are to be told. */
export async function updatePendingEnded(tx: Transaction): Promise<void> {
  await tx.run(sql`
    UPDATE federationsender_outbound_peeks SET status = 'ended', next_ts = 0
    WHERE status = 'pending'`);
}

export async function selectActiveOutboundPeeks(from: Queryable): Promise<OutboundPeekRow[]> {
  const found = await from.all<Stored>(sql`
    SELECT * FROM federationsender_outbound_peeks WHERE status = 'active'`);
  return found.map(fromStored);
}

export async function selectPeekedServers(from: Queryable): Promise<ServerName[]> {
  const found = await from.all<{ server: ServerName }>(sql`
    SELECT DISTINCT server FROM federationsender_outbound_peeks WHERE status = 'active'`);
  return found.map((row) => row.server);
}

export async function selectActivePeeksThrough(
  from: Queryable,
  server: ServerName,
): Promise<OutboundPeekRow[]> {
  const found = await from.all<Stored>(sql`
    SELECT * FROM federationsender_outbound_peeks
    WHERE server = ${server} AND status = 'active'`);
  return found.map(fromStored);
}

export async function deleteOutboundPeek(
  tx: Transaction,
  { roomId, server, peekId }: OutboundPeekKey,
): Promise<number> {
  return tx.run(sql`
    DELETE FROM federationsender_outbound_peeks
    WHERE room_id = ${roomId} AND server = ${server} AND peek_id = ${peekId}`);
}
