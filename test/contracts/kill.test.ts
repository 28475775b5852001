// A process that is killed at any moment loses nothing that it has acknowledged.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { sql } from '../../src/database/sql.ts';
import { openSqlite } from '../../src/database/sqlite.ts';
import { openEmbeddedLog } from '../../src/eventlog/embedded.ts';
import { silentLogger } from '../../src/logger.ts';
import { TOPIC } from './log-harness.ts';

const KILLED_AFTER = 300;

/** Lets the child write until it has acknowledged enough, kills it, and returns all that it has acknowledged. */
async function runAndKill(path: string): Promise<number[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill-child.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (output.split('\n').length > KILLED_AFTER) child.kill('SIGKILL');
  });
  await once(child, 'close');
  const lines = output.split('\n').slice(0, -1);
  assert.ok(lines.every((line) => line.endsWith(' true')));
  return lines.map((line) => Number.parseInt(line, 10));
}

test('every acknowledged unit and its log entry survive kill -9, each applied once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyhole-kill-'));
  const path = join(folder, 'test.db');
  const acknowledged: number[] = [];
  for (let run = 0; run < 3; run++) acknowledged.push(...(await runAndKill(path)));
  assert.ok(acknowledged.length >= 3 * KILLED_AFTER);

  const database = await openSqlite({ path });
  await database.checkIntegrity();
  const column = async (query: ReturnType<typeof sql>) =>
    (await database.all<{ value: number }>(query)).map((row) => row.value);
  const written = await column(sql`SELECT value FROM written ORDER BY value`);
  const seen = await column(sql`SELECT value FROM seen ORDER BY value`);
  const missing = acknowledged.filter((value) => !seen.includes(value) || !written.includes(value));
  assert.deepEqual(missing, []);

  const log = await openEmbeddedLog({ database, clock: systemClock, logger: silentLogger });
  const rest: number[] = [];
  const consumer = log.consume({
    name: 'test',
    topic: TOPIC,
    database,
    apply: async (_tx, entries) => void rest.push(...entries.map(({ entry }) => entry.ts)),
  });
  assert.ok(await consumer.reached(await log.head(TOPIC), 10_000));
  assert.deepEqual(
    [...seen, ...rest].sort((a, b) => a - b),
    written,
  );
  await log.close();
  await database.close();
  await rm(folder, { recursive: true });
});
