// A database with an event log on it, and a consumer that writes down what it is given.

import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database, Migration, Transaction } from '../../src/database/database.ts';
import { rows, sql } from '../../src/database/sql.ts';
import { openEmbeddedLog } from '../../src/eventlog/embedded.ts';
import type { Receipt } from '../../src/eventlog/entries.ts';
import type { EventLog, LogEntry, LogTicket, Subscription } from '../../src/eventlog/eventlog.ts';
import type { Logger } from '../../src/logger.ts';
import type { EventId, UserId } from '../../src/protocol/identifiers.ts';
import { until } from '../until.ts';
import type { Backend, BackendOptions } from './backends.ts';

export const TOPIC = 'edu.receipt';
export type ReceiptEntry = LogEntry<typeof TOPIC>;

export const tables: readonly Migration[] = [
  {
    name: '0001-seen',
    statements: [
      sql`CREATE TABLE seen (position BIGINT PRIMARY KEY, key TEXT_KEY, value BIGINT)`,
      sql`CREATE TABLE written (value BIGINT PRIMARY KEY)`,
    ],
  },
];

export interface Harness {
  readonly database: Database;
  readonly log: EventLog;
  /** The messages of all error lines so far. */
  readonly errors: readonly string[];
  /** Appends one entry of `key` that carries `value`, in a unit of its own, which also keeps the value. */
  append(key: string, value: number): Promise<LogTicket>;
  /** Consumes TOPIC into the table `seen`; `fail` may throw for an entry. */
  consume(options?: ConsumeOptions): Subscription;
  seen(): Promise<{ key: string; value: number }[]>;
  /** Resolves once the consumer has come to the end of the log. */
  settled(subscription: Subscription): Promise<void>;
}

export interface ConsumeOptions {
  readonly name?: string;
  readonly fail?: (entry: ReceiptEntry) => void;
  readonly onBatch?: (entries: readonly ReceiptEntry[]) => void;
  /** After COMMIT, as memory is changed. */
  readonly onCommitted?: (entries: readonly ReceiptEntry[]) => void;
}

export interface HarnessOptions extends BackendOptions {
  readonly retentionMs?: number;
}

export async function openHarness(
  backend: Pick<Backend, 'open' | 'closeFirst'>,
  options: HarnessOptions = {},
): Promise<Harness> {
  const { retentionMs, ...backendOptions } = options;
  const clock: Clock = options.clock ?? systemClock;
  const database = await backend.open(backendOptions);
  await database.migrate('harness', tables);
  const errors: string[] = [];
  const logger = loggerInto(errors);
  const log = await openEmbeddedLog({
    database,
    clock,
    logger,
    ...(retentionMs === undefined ? {} : { retentionMs }),
  });
  backend.closeFirst(() => log.close());
  return {
    database,
    log,
    errors,
    append: (key, value) => database.transact((tx) => appendOne(log, tx, { key, value })),
    consume: (consumeOptions = {}) => consumeSeen(database, log, consumeOptions),
    seen: () => database.all(sql`SELECT key, value FROM seen ORDER BY position`),
    settled: (subscription) => settle(log, subscription),
  };
}

export async function appendOne(
  log: EventLog,
  tx: Transaction,
  { key, value }: { key: string; value: number },
): Promise<LogTicket> {
  await tx.run(sql`INSERT INTO written (value) VALUES (${value})`);
  return log.append(tx, TOPIC, [{ key, entry: receipt(value) }]);
}

export function receipt(ts: number): Receipt {
  return { v: 1, userId: '@u:x' as UserId, eventId: '$e' as EventId, type: 'm.read', ts };
}

function consumeSeen(database: Database, log: EventLog, options: ConsumeOptions): Subscription {
  return log.consume({
    name: options.name ?? 'test',
    topic: TOPIC,
    database,
    apply: async (tx, entries) => {
      options.onBatch?.(entries);
      tx.afterCommit(() => options.onCommitted?.(entries));
      const data = entries.map(({ position, key, entry }) => ({ position, key, value: entry.ts }));
      await tx.run(sql`INSERT INTO seen (position, key, value) SELECT position, key, value
        FROM ${rows({ position: 'bigint', key: 'text', value: 'bigint' }, data)}`);
      for (const entry of entries) options.fail?.(entry);
    },
  });
}

async function settle(log: EventLog, subscription: Subscription): Promise<void> {
  const head = await log.head(TOPIC);
  await until(async () => {
    await subscription.reached(head, 10_000);
    return subscription.position >= head;
  }, `position ${head}`);
}

function loggerInto(errors: string[]): Logger {
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (_fields, message) => void errors.push(message),
    child: () => logger,
  };
  return logger;
}
