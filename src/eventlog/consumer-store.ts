// SQL on eventlog_consumers and eventlog_parked, which lie in the consumer's database.

import type { Database, Queryable, Transaction } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { DurableTopic } from './entries.ts';
import { type AnyEntry, parseEntry } from './entry-store.ts';
import type { ParkedKey } from './eventlog.ts';
import { resumedOf } from './resumed.ts';

/** Why entries are parked that have not failed themselves. */
export const HELD = 'waits for an earlier entry of its key';

/** Who consumes what: the key of both tables. */
export interface ConsumerId {
  readonly consumer: string;
  readonly topic: DurableTopic;
}

/** The stored position; a consumer that is new starts at 0. */
export async function selectOrInsertPosition(database: Database, id: ConsumerId): Promise<number> {
  return database.transact(async (tx) => {
    await tx.run(sql`
      INSERT INTO eventlog_consumers (consumer, topic, position)
      VALUES (${id.consumer}, ${id.topic}, 0) ON CONFLICT (consumer, topic) DO NOTHING`);
    const row = await tx.get<{ position: number }>(sql`
      SELECT position FROM eventlog_consumers
      WHERE consumer = ${id.consumer} AND topic = ${id.topic}`);
    return row?.position ?? 0;
  });
}

/** False when the stored position is no longer `from`. */
export async function updatePosition(
  tx: Transaction,
  id: ConsumerId,
  { from, to }: { from: number; to: number },
): Promise<boolean> {
  const changed = await tx.run(sql`
    UPDATE eventlog_consumers SET position = ${to}
    WHERE consumer = ${id.consumer} AND topic = ${id.topic} AND position = ${from}`);
  return changed === 1;
}

/** undefined: nobody consumes the topic. */
export async function selectLeastPosition(
  database: Queryable,
  topic: DurableTopic,
): Promise<number | undefined> {
  const row = await database.get<{ position: number | null }>(
    sql`SELECT min(position) AS position FROM eventlog_consumers WHERE topic = ${topic}`,
  );
  return row?.position ?? undefined;
}

export async function insertParked(
  tx: Transaction,
  id: ConsumerId,
  { entry, error, now }: { entry: AnyEntry; error: string; now: number },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO eventlog_parked (consumer, topic, key, position, parked_at, error, entry)
    VALUES (${id.consumer}, ${id.topic}, ${entry.key}, ${entry.position}, ${now},
      ${error}, ${JSON.stringify(entry.entry)})`);
}

/** Stands for a key whose entries have been appended again and are still to be applied. */
export const RESUMING = 0;

export async function insertResuming(
  tx: Transaction,
  id: ConsumerId,
  { key, now }: { key: string; now: number },
): Promise<void> {
  await tx.run(sql`
    INSERT INTO eventlog_parked (consumer, topic, key, position, parked_at, error, entry)
    VALUES (${id.consumer}, ${id.topic}, ${key}, ${RESUMING}, ${now}, 'is about to go on', '{}')`);
}

export async function deleteResuming(tx: Transaction, id: ConsumerId, key: string): Promise<void> {
  await tx.run(sql`
    DELETE FROM eventlog_parked WHERE consumer = ${id.consumer} AND topic = ${id.topic}
      AND key = ${key} AND position = ${RESUMING}`);
}

export async function deleteParked(tx: Transaction, id: ConsumerId, key: string): Promise<void> {
  await tx.run(sql`
    DELETE FROM eventlog_parked
    WHERE consumer = ${id.consumer} AND topic = ${id.topic} AND key = ${key}`);
}

/** The parked entries of the key, in order: those that have come again belong before what came meanwhile. */
export async function selectParked(
  database: Queryable,
  id: ConsumerId,
  key: string,
): Promise<AnyEntry[]> {
  const found = await database.all<{ position: number; entry: string }>(sql`
    SELECT position, entry FROM eventlog_parked
    WHERE consumer = ${id.consumer} AND topic = ${id.topic} AND key = ${key}
      AND position > ${RESUMING}
    ORDER BY position`);
  const { topic } = id;
  const entries = found.map((row) => ({
    topic,
    key,
    position: row.position,
    entry: parseEntry(row.entry),
  }));
  const isAgain = (entry: AnyEntry) => resumedOf(entry) !== undefined;
  return [...entries.filter(isAgain), ...entries.filter((entry) => !isAgain(entry))];
}

export async function hasParked(
  database: Queryable,
  id: ConsumerId,
  key: string,
): Promise<boolean> {
  const row = await database.get(sql`
    SELECT position FROM eventlog_parked
    WHERE consumer = ${id.consumer} AND topic = ${id.topic} AND key = ${key}
      AND position > ${RESUMING} LIMIT 1`);
  return row !== undefined;
}

export async function selectIsParked(
  database: Queryable,
  id: ConsumerId,
  position: number,
): Promise<boolean> {
  const row = await database.get(sql`
    SELECT position FROM eventlog_parked
    WHERE consumer = ${id.consumer} AND topic = ${id.topic} AND position = ${position}`);
  return row !== undefined;
}

/** Every parked key of every consumer, with the entry that holds it up. */
export async function selectParkedKeys(database: Queryable): Promise<ParkedKey[]> {
  return database.all<ParkedKey>(sql`
    SELECT consumer, topic, key, position, error FROM eventlog_parked AS p
    WHERE position = (
      SELECT position FROM eventlog_parked AS q
      WHERE q.consumer = p.consumer AND q.topic = p.topic AND q.key = p.key
      ORDER BY CASE WHEN error = ${HELD} THEN 1 ELSE 0 END, position LIMIT 1
    )
    ORDER BY consumer, topic, position`);
}
