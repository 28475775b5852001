// SQL on eventlog_entries.

import type { Queryable, Transaction } from '../database/database.ts';
import { list, rows, sql } from '../database/sql.ts';
import { parseJsonExactly } from '../protocol/json.ts';
import type { DurableTopic, EntryOf } from './entries.ts';
import type { LogEntry } from './eventlog.ts';

export type AnyEntry = LogEntry<DurableTopic>;

export interface EntryRow {
  readonly id: number;
  readonly topic: DurableTopic;
  readonly key: string;
  /** null: to be given by the relay. */
  readonly position: number | null;
  readonly appended_at: number;
  readonly entry: string;
}

const COLUMNS = {
  id: 'bigint',
  topic: 'text',
  key: 'text',
  position: 'bigint',
  appended_at: 'bigint',
  entry: 'text',
} as const;

export async function insertEntries(tx: Transaction, entries: readonly EntryRow[]): Promise<void> {
  await tx.run(sql`
    INSERT INTO eventlog_entries (id, topic, key, position, appended_at, entry)
    SELECT id, topic, key, position, appended_at, entry
    FROM ${rows(COLUMNS, entries as readonly (EntryRow & Record<string, string | number>)[])}`);
}

export async function selectEntriesAfter(
  database: Queryable,
  { topic, after, limit }: { topic: DurableTopic; after: number; limit: number },
): Promise<AnyEntry[]> {
  const found = await database.all<{ position: number; key: string; entry: string }>(sql`
    SELECT position, key, entry FROM eventlog_entries
    WHERE topic = ${topic} AND position > ${after} ORDER BY position LIMIT ${limit}`);
  return found.map((row) => ({ topic, ...row, entry: parseEntry(row.entry) }));
}

export function parseEntry(text: string): EntryOf[DurableTopic] {
  return parseJsonExactly(text) as unknown as EntryOf[DurableTopic];
}

/** The greatest position of the topic, 0 when there is none. */
export async function selectHead(database: Queryable, topic: DurableTopic): Promise<number> {
  const row = await database.get<{ head: number | null }>(
    sql`SELECT max(position) AS head FROM eventlog_entries WHERE topic = ${topic}`,
  );
  return row?.head ?? 0;
}

export async function selectGreatestId(database: Queryable): Promise<number> {
  const row = await database.get<{ id: number | null }>(
    sql`SELECT max(id) AS id FROM eventlog_entries`,
  );
  return row?.id ?? 0;
}

/** Those of the ids that have a position. */
export async function selectPositions(
  database: Queryable,
  ids: readonly number[],
): Promise<{ id: number; position: number }[]> {
  return database.all(sql`
    SELECT id, position FROM eventlog_entries
    WHERE id IN ${list('bigint', ids)} AND position IS NOT NULL`);
}

export interface SequencedRow {
  readonly id: number;
  readonly topic: DurableTopic;
  readonly key: string;
  readonly position: number;
}

export interface SequenceBounds {
  readonly above: number;
  readonly upTo: number;
  readonly except: readonly number[];
  readonly limit: number;
}

/** Gives positions above `above` to committed entries without one, in order of id: ids to `upTo`, `except` those. */
export async function updatePositions(
  tx: Transaction,
  { above, upTo, except, limit }: SequenceBounds,
): Promise<SequencedRow[]> {
  const found = await tx.all<SequencedRow>(sql`
    UPDATE eventlog_entries SET position = ${above} + next.place
    FROM (
      SELECT id AS next_id, row_number() OVER (ORDER BY id) AS place
      FROM eventlog_entries
      WHERE position IS NULL AND id <= ${upTo} AND id NOT IN ${list('bigint', except)}
      ORDER BY id LIMIT ${limit}
    ) AS next
    WHERE id = next.next_id
    RETURNING id, topic, key, position`);
  return found.sort((a, b) => a.position - b.position);
}

/** Returns how many were deleted, at most `limit`. */
export async function deleteEntriesBefore(
  tx: Transaction,
  bounds: { topic: DurableTopic; position: number; appendedBefore: number; limit: number },
): Promise<number> {
  return tx.run(sql`
    DELETE FROM eventlog_entries WHERE id IN (
      SELECT id FROM eventlog_entries
      WHERE topic = ${bounds.topic} AND position < ${bounds.position}
        AND appended_at < ${bounds.appendedBefore}
      ORDER BY position LIMIT ${bounds.limit}
    )`);
}
