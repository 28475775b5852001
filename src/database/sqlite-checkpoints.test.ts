import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Database } from './database.ts';
import { sql } from './sql.ts';
import { openSqlite } from './sqlite.ts';

const PAGE = 4096;

describe('the write-ahead log', () => {
  let folder: string;
  let path: string;
  let database: Database;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyhole-checkpoint-'));
    path = join(folder, 'test.db');
    database = await openSqlite({ path });
    await database.migrate('test', [
      {
        name: '0001-blobs',
        statements: [sql`CREATE TABLE blobs (id BIGINT PRIMARY KEY, data BYTES)`],
      },
    ]);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(id: number, pages: number): Promise<void> {
    const data = new Uint8Array(pages * PAGE);
    await database.transact((tx) =>
      tx.run(sql`INSERT INTO blobs (id, data) VALUES (${id}, ${data})`),
    );
  }

  test('is copied back by the worker, and then written from its start again', async () => {
    await write(1, 9000);
    const size = () => statSync(`${path}-wal`).size;
    for (let id = 2, before = 0; size() > before; id++) {
      before = size();
      await write(id, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(statSync(path).size > 9000 * PAGE);
    await database.close();
  });

  test('is gone after an orderly end, worker or not', async () => {
    await write(1, 10);
    await database.close();
    assert.equal(existsSync(`${path}-wal`), false);
    database = await openSqlite({ path });
    await write(2, 3000);
    await database.close();
    assert.equal(existsSync(`${path}-wal`), false);
  });

  test('stays bounded while a lot is written', async () => {
    for (let id = 1; id <= 30; id++) await write(id, 1000);
    assert.ok(statSync(`${path}-wal`).size < 20_000 * PAGE);
    await database.checkIntegrity();
    await database.close();
  });
});
