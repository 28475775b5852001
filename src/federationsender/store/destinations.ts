// Other servers, as destinations of what is sent, and how sending to them has gone.

import type { Queryable, Transaction } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { ServerName } from '../../protocol/identifiers.ts';

export interface Destination {
  readonly id: number;
  readonly server: ServerName;
  /** The last attempt was answered. */
  readonly proven: boolean;
  /** Some attempt was. */
  readonly answered: boolean;
  /** ms since the epoch; 0: not failing. */
  readonly failingSince: number;
  /** ms since the epoch; 0: at any time. */
  readonly retryAt: number;
  /** ms; 0: not failing. */
  readonly retryInterval: number;
  /** What it misses is written down by room, and no event is queued for it. */
  readonly catchingUp: boolean;
}

interface StoredDestination {
  readonly id: number;
  readonly server: string;
  readonly proven: number;
  readonly answered: number;
  readonly failing_since: number;
  readonly retry_at: number;
  readonly retry_interval: number;
  readonly catching_up: number;
}

export async function selectGreatestDestinationId(database: Queryable): Promise<number> {
  const found = await database.get<{ id: number | null }>(
    sql`SELECT MAX(id) AS id FROM federationsender_destinations`,
  );
  return found?.id ?? 0;
}

export async function selectDestinationIds(
  database: Queryable,
  servers: readonly ServerName[],
): Promise<Map<ServerName, number>> {
  const found = await database.all<{ id: number; server: string }>(sql`
    SELECT id, server FROM federationsender_destinations WHERE server IN ${list('text', servers)}`);
  return new Map(found.map(({ id, server }) => [server as ServerName, id]));
}

export async function insertDestinations(
  tx: Transaction,
  destinations: readonly { readonly id: number; readonly server: ServerName }[],
): Promise<void> {
  await tx.run(sql`
    INSERT INTO federationsender_destinations
      (id, server, proven, failing_since, failed_at, retry_at, retry_interval, catching_up)
    SELECT id, server, 0, 0, 0, 0, 0, 0 FROM ${rows({ id: 'bigint', server: 'text' }, destinations)}`);
}

/** Those that may be tried now. */
export async function selectReadyDestinations(
  database: Queryable,
  ids: readonly number[],
  now: number,
): Promise<Destination[]> {
  const found = await database.all<StoredDestination>(sql`
    SELECT id, server, proven, answered, failing_since, retry_at, retry_interval, catching_up
    FROM federationsender_destinations WHERE id IN ${list('bigint', ids)} AND retry_at <= ${now}`);
  return found.map(fromStored);
}

/** Those whose time to be tried again has come, longest overdue first. */
export async function selectDueDestinations(
  database: Queryable,
  now: number,
  limit: number,
): Promise<number[]> {
  const found = await database.all<{ id: number }>(sql`
    SELECT id FROM federationsender_destinations
    WHERE retry_at > 0 AND retry_at <= ${now} ORDER BY retry_at LIMIT ${limit}`);
  return found.map(({ id }) => id);
}

/** When the next one is to be tried again, ms since the epoch. */
export async function selectNextRetry(
  database: Queryable,
  after: number,
): Promise<number | undefined> {
  const found = await database.get<{ next: number | null }>(sql`
    SELECT MIN(retry_at) AS next FROM federationsender_destinations
    WHERE retry_at > 0 AND retry_at > ${after}`);
  return found?.next ?? undefined;
}

/** Those that are not failing and have something to be sent; `after`: id of the last one known. */
export async function selectDestinationsWithWork(
  database: Queryable,
  after: number,
  limit: number,
): Promise<number[]> {
  const found = await database.all<{ id: number }>(sql`
    SELECT id FROM federationsender_destinations d
    WHERE id > ${after} AND retry_at = 0 AND (
      catching_up = 1
      OR EXISTS (SELECT 1 FROM federationsender_queue q WHERE q.destination_id = d.id)
      OR EXISTS (SELECT 1 FROM federationsender_to_device t WHERE t.destination_id = d.id)
      OR EXISTS (SELECT 1 FROM federationsender_expired_peeks e WHERE e.destination_id = d.id)
      OR EXISTS (SELECT 1 FROM federationsender_transactions t WHERE t.destination_id = d.id))
    ORDER BY id LIMIT ${limit}`);
  return found.map(({ id }) => id);
}

export async function updateSucceeded(tx: Transaction, id: number): Promise<void> {
  await tx.run(sql`
    UPDATE federationsender_destinations
    SET proven = 1, answered = 1, failing_since = 0, failed_at = 0, retry_at = 0, retry_interval = 0
    WHERE id = ${id}`);
}

/** An attempt that failed. */
export interface Failure {
  /** The destination's. */
  readonly id: number;
  readonly failingSince: number;
  readonly failedAt: number;
  readonly retryAt: number;
  readonly retryInterval: number;
}

const FAILURES = {
  id: 'bigint',
  failing_since: 'bigint',
  failed_at: 'bigint',
  retry_at: 'bigint',
  retry_interval: 'bigint',
} as const;

/** No two of one destination. */
export async function updateFailed(tx: Transaction, failures: readonly Failure[]): Promise<void> {
  const data = failures.map((failure) => ({
    id: failure.id,
    failing_since: failure.failingSince,
    failed_at: failure.failedAt,
    retry_at: failure.retryAt,
    retry_interval: failure.retryInterval,
  }));
  await tx.run(sql`
    UPDATE federationsender_destinations
    SET proven = 0, failing_since = r.failing_since, failed_at = r.failed_at,
      retry_at = r.retry_at, retry_interval = r.retry_interval
    FROM ${rows(FAILURES, data)} WHERE federationsender_destinations.id = r.id`);
}

/** It may be tried when there is something to send; how long it has failed is kept. */
export async function updateRetryAt(tx: Transaction, id: number, retryAt: number): Promise<void> {
  await tx.run(
    sql`UPDATE federationsender_destinations SET retry_at = ${retryAt} WHERE id = ${id}`,
  );
}

/** Whether it is going to be tried again. */
export async function selectIsRetried(tx: Transaction, id: number): Promise<boolean> {
  const found = await tx.get(
    sql`SELECT id FROM federationsender_destinations WHERE id = ${id} AND retry_at > 0`,
  );
  return found !== undefined;
}

export async function selectIsCatchingUp(tx: Transaction, id: number): Promise<boolean> {
  const found = await tx.get<{ catching_up: number }>(
    sql`SELECT catching_up FROM federationsender_destinations WHERE id = ${id}`,
  );
  return found?.catching_up === 1;
}

/** It has caught up. */
export async function updateCaughtUp(tx: Transaction, id: number): Promise<void> {
  await tx.run(sql`UPDATE federationsender_destinations SET catching_up = 0 WHERE id = ${id}`);
  await tx.run(sql`UPDATE federationsender_hosts SET away = 0 WHERE destination_id = ${id}`);
}

/** From now on no event, and no change of devices, is queued for it. */
export async function updateCatchingUp(tx: Transaction, id: number): Promise<void> {
  await tx.run(sql`
    UPDATE federationsender_destinations SET catching_up = 1, changes_until = (
      SELECT COALESCE(MAX(seq), 0) FROM federationsender_changes)
    WHERE id = ${id} AND catching_up = 0`);
  await tx.run(sql`
    UPDATE federationsender_hosts SET away = 1 WHERE destination_id = ${id} AND away = 0`);
}

/** Likewise for those of them that have never answered. */
export async function updateStrangersCatchingUp(
  tx: Transaction,
  ids: readonly number[],
): Promise<void> {
  await tx.run(sql`
    UPDATE federationsender_destinations SET catching_up = 1, changes_until = (
      SELECT COALESCE(MAX(seq), 0) FROM federationsender_changes)
    WHERE id IN ${list('bigint', ids)} AND answered = 0 AND catching_up = 0`);
  await tx.run(sql`
    UPDATE federationsender_hosts SET away = 1
    WHERE destination_id IN ${list('bigint', ids)} AND away = 0 AND EXISTS (
      SELECT 1 FROM federationsender_destinations d
      WHERE d.id = federationsender_hosts.destination_id AND d.answered = 0)`);
}

/** A failing one of that name. */
export async function selectFailing(
  database: Queryable,
  server: ServerName,
): Promise<{ id: number; failedAt: number; retryAt: number } | undefined> {
  const found = await database.get<{ id: number; failed_at: number; retry_at: number }>(sql`
    SELECT id, failed_at, retry_at FROM federationsender_destinations
    WHERE server = ${server} AND retry_at > 0`);
  return found && { id: found.id, failedAt: found.failed_at, retryAt: found.retry_at };
}

/** Failing ones that are to catch up from now on: for too long, or with too many events queued. */
export async function selectToCollapse(
  database: Queryable,
  bounds: { readonly failingBefore: number; readonly backlog: number; readonly limit: number },
): Promise<number[]> {
  const { failingBefore, backlog, limit } = bounds;
  const found = await database.all<{ id: number }>(sql`
    SELECT d.id FROM federationsender_destinations d
    WHERE d.retry_at > 0 AND d.catching_up = 0 AND (
      d.failing_since <= ${failingBefore}
      OR (SELECT COUNT(*) FROM (
        SELECT 1 FROM federationsender_queue q WHERE q.destination_id = d.id
        LIMIT ${backlog + 1}) AS counted) > ${backlog})
    LIMIT ${limit}`);
  return found.map(({ id }) => id);
}

function fromStored(row: StoredDestination): Destination {
  return {
    id: row.id,
    server: row.server as ServerName,
    proven: row.proven === 1,
    answered: row.answered === 1,
    failingSince: row.failing_since,
    retryAt: row.retry_at,
    retryInterval: row.retry_interval,
    catchingUp: row.catching_up === 1,
  };
}
