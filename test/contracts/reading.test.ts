// A database is read beside the one process that uses it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { openPostgres, readPostgres } from '../../src/database/postgres.ts';
import { type Reading, readSqlite } from '../../src/database/reading.ts';
import { sql } from '../../src/database/sql.ts';
import { openSqlite } from '../../src/database/sqlite.ts';
import { createSchema } from './backends.ts';

async function checkReading(database: Database, reading: Reading): Promise<void> {
  const select = () => reading.all(sql`SELECT id FROM things ORDER BY id`);
  await assert.rejects(select(), { name: 'DatabaseError' });
  await database.transact(async (tx) => {
    await tx.run(sql`CREATE TABLE things (id BIGINT PRIMARY KEY)`);
    await tx.run(sql`INSERT INTO things (id) VALUES (${1}), (${2})`);
  });
  assert.deepEqual(
    (await select()).map(({ id }) => id),
    [1, 2],
  );
  assert.deepEqual((await reading.get(sql`SELECT max(id) AS id FROM things`))?.id, 2);
  await assert.rejects(reading.all(sql`DELETE FROM things WHERE id = ${1} RETURNING id`));
  assert.equal((await select()).length, 2);
}

test('SQLite', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'keyhole.db');
  const database = await openSqlite({ path });
  t.after(() => database.close());
  const reading = readSqlite(path);
  t.after(() => reading.close());
  await checkReading(database, reading);
});

const url = process.env.KEYHOLE_TEST_POSTGRES_URL;

test('PostgreSQL', {
  skip: url === undefined && 'KEYHOLE_TEST_POSTGRES_URL is not set',
}, async (t) => {
  const schema = await createSchema(url ?? '');
  t.after(() => schema.remove());
  const database = await openPostgres({ url: schema.url });
  t.after(() => database.close());
  const reading = readPostgres(schema.url);
  t.after(() => reading.close());
  await checkReading(database, reading);
});
