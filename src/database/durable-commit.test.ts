import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Database, DatabaseError } from './database.ts';
import { sql } from './sql.ts';
import { openSqlite } from './sqlite.ts';

describe('a COMMIT that is being made durable', () => {
  let folder: string;
  let database: Database;
  let sync: () => Promise<void>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyhole-durable-'));
    sync = async () => {};
    database = await openSqlite({ path: join(folder, 'test.db'), beforeSync: () => sync() });
    await database.migrate('test', [
      { name: '0001-items', statements: [sql`CREATE TABLE items (id BIGINT PRIMARY KEY)`] },
    ]);
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  async function ids(from: Database = database): Promise<number[]> {
    const found = await from.all<{ id: number }>(sql`SELECT id FROM items ORDER BY id`);
    return found.map(({ id }) => id);
  }

  /** Every sync waits from now on, until it is let go. */
  function holdSyncs() {
    const reached = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    sync = () => {
      reached.resolve();
      return held.promise;
    };
    return { reached: reached.promise, letGo: held.resolve, fail: held.reject };
  }

  function insert(id: number, told: string[] = []): Promise<void> {
    const unit = database.transact(async (tx) => {
      tx.afterCommit(() => told.push(`effect ${id}`));
      tx.afterRollback(() => told.push(`undone ${id}`));
      await tx.run(sql`INSERT INTO items (id) VALUES (${id})`);
    });
    return unit.then(
      () => void told.push(`done ${id}`),
      (error) => {
        told.push(`failed ${id}`);
        throw error;
      },
    );
  }

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }

  test('is told to nobody and seen by nobody, nor is what comes after it', async () => {
    await insert(1);
    const { reached, letGo } = holdSyncs();
    const told: string[] = [];
    const first = insert(2, told);
    await reached;
    const later = insert(3, told);
    const refused = database
      .transact(async (tx) => {
        throw new Error(`it saw ${(await tx.all(sql`SELECT id FROM items`)).length}`);
      })
      .catch((error) => told.push(error.message));
    await turns();
    assert.deepEqual(told, []);
    assert.deepEqual(await ids(), [1]);
    // On the way to the disk it is: whoever reads beside the server may see it.
    const beside = new DatabaseSync(join(folder, 'test.db'), { readOnly: true });
    assert.equal(beside.prepare('SELECT count(*) AS n FROM items').get()?.n, 2);
    beside.close();
    letGo();
    await Promise.all([first, later, refused]);
    assert.deepEqual(told, ['effect 2', 'done 2', 'effect 3', 'done 3', 'it saw 3']);
    assert.deepEqual(await ids(), [1, 2, 3]);
  });

  test('is seen by readers when its effects run, not before', async () => {
    let seen: Promise<number[]> | undefined;
    await database.transact(async (tx) => {
      tx.afterCommit(() => {
        seen = ids();
      });
      await tx.run(sql`INSERT INTO items (id) VALUES (1)`);
    });
    assert.deepEqual(await seen, [1]);
  });

  test('fails when it cannot be synced, and so does everything after it: nobody is told of success', async () => {
    await insert(1);
    const { reached, fail } = holdSyncs();
    const told: string[] = [];
    const units = [insert(2, told)];
    await reached;
    units.push(insert(3, told));
    fail(new Error('EIO'));
    const outcomes = await Promise.allSettled(units);
    sync = async () => {}; // a later sync would succeed: the system has forgotten what it could not write
    outcomes.push(...(await Promise.allSettled([insert(4, told)])));
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof DatabaseError);
      assert.equal(outcome.reason.kind, 'unavailable');
    }
    assert.deepEqual(told, ['undone 2', 'failed 2', 'failed 3', 'failed 4']);
    await assert.rejects(ids(), /cannot be synced: EIO/);
    assert.match((await database.lost).message, /EIO/);
  });

  test('after a failure what can be read at the next start is in the database file itself', async () => {
    sync = async () => {
      throw new Error('EIO');
    };
    await assert.rejects(insert(1));
    // As a kill would leave it; the log has been written, though not all of it may be on the disk.
    const copy = join(folder, 'copy.db');
    for (const part of ['', '-wal']) copyFileSync(join(folder, `test.db${part}`), `${copy}${part}`);
    const again = await openSqlite({ path: copy });
    const found = await ids(again);
    const fileAlone = join(folder, 'alone.db');
    copyFileSync(copy, fileAlone);
    await again.close();
    const alone = await openSqlite({ path: fileAlone });
    assert.deepEqual(await ids(alone), found);
    await alone.close();
  });

  test('is in the files that are synced, whatever is told of it', async () => {
    const image = join(folder, 'image.db');
    sync = async () => {
      for (const part of ['', '-wal'])
        copyFileSync(join(folder, `test.db${part}`), `${image}${part}`);
    };
    for (let round = 0; round < 5; round++) {
      const told = Array.from({ length: 20 }, (_, n) => round * 20 + n);
      await Promise.all(told.map((id) => insert(id)));
      const found = new DatabaseSync(image);
      assert.equal(
        found.prepare('SELECT count(*) AS n FROM items').get()?.n,
        told.length * (round + 1),
      );
      found.close();
    }
  });
});
