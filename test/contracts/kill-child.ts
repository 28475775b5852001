// The child of kill.test.ts: commits without end, and says what was acknowledged.

import { systemClock } from '../../src/clock.ts';
import { rows, sql } from '../../src/database/sql.ts';
import { openSqlite } from '../../src/database/sqlite.ts';
import { openEmbeddedLog } from '../../src/eventlog/embedded.ts';
import { silentLogger } from '../../src/logger.ts';
import { receipt, TOPIC, tables } from './log-harness.ts';

const database = await openSqlite({ path: process.argv[2] as string });
await database.migrate('harness', tables);
const log = await openEmbeddedLog({ database, clock: systemClock, logger: silentLogger });
const consumer = log.consume({
  name: 'test',
  topic: TOPIC,
  database,
  apply: async (tx, entries) => {
    const data = entries.map(({ position, key, entry }) => ({ position, key, value: entry.ts }));
    await tx.run(sql`INSERT INTO seen (position, key, value) SELECT position, key, value
      FROM ${rows({ position: 'bigint', key: 'text', value: 'bigint' }, data)}`);
  },
});

let last =
  (await database.get<{ last: number }>(sql`SELECT count(*) AS last FROM written`))?.last ?? 0;

async function write(): Promise<void> {
  for (;;) {
    last += 1;
    const value = last;
    const ticket = await database.transact(async (tx) => {
      await tx.run(sql`INSERT INTO written (value) VALUES (${value})`);
      return log.append(tx, TOPIC, [{ key: `k${value % 7}`, entry: receipt(value) }]);
    });
    const consumed = await consumer.reached(await log.position(ticket), 10_000);
    process.stdout.write(`${value} ${consumed}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, write));
