import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DatabaseError, type Transaction } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { sql } from './sql.ts';
import { SqliteConnection } from './sqlite-connection.ts';

describe('GroupCommit', () => {
  let folder: string;
  let writer: SqliteConnection;
  let commits = 0;
  let units: GroupCommit;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyhole-group-'));
    writer = new SqliteConnection(join(folder, 'test.db'));
    writer.run(sql`CREATE TABLE items (id BIGINT PRIMARY KEY)`);
    units = new GroupCommit(writer, {
      checkUsable: () => {},
      commit: async () => writer.control('COMMIT'),
      beforeCommit: async () => {
        commits += 1;
      },
      afterGroup: () => {},
    });
  });
  after(async () => {
    await units.close();
    writer.close();
    await rm(folder, { recursive: true });
  });

  const insert = (id: number) => (tx: Transaction) =>
    tx.run(sql`INSERT INTO items (id) VALUES (${id})`);

  test('units that arrive together share a COMMIT, up to a bound', async () => {
    commits = 0;
    await Promise.all(Array.from({ length: 64 }, (_, id) => units.run(insert(id))));
    assert.equal(commits, 1);
    await Promise.all(Array.from({ length: 65 }, (_, id) => units.run(insert(100 + id))));
    assert.equal(commits, 3);
  });

  test('when SQLite undoes everything, every unit of the group is told, and the next group works', async () => {
    const results = await Promise.allSettled([
      units.run(insert(1001)),
      units.run((tx) => tx.run(sql`ROLLBACK`)),
      units.run(insert(1003)),
    ]);
    const kinds = results.map((result) =>
      result.status === 'rejected' ? (result.reason as DatabaseError).kind : result.status,
    );
    assert.deepEqual(kinds, ['unavailable', 'unavailable', 'fulfilled']);
    assert.deepEqual(writer.all(sql`SELECT id FROM items WHERE id > 1000`), [{ id: 1003 }]);
  });

  test('while another process holds the database, the queue fails as unavailable', async () => {
    const other = new SqliteConnection(join(folder, 'test.db'));
    writer.pragma('busy_timeout=0');
    other.control('BEGIN IMMEDIATE');
    const results = await Promise.allSettled([units.run(insert(2001)), units.run(insert(2002))]);
    other.control('ROLLBACK');
    other.close();
    for (const result of results) {
      assert.ok(result.status === 'rejected' && result.reason instanceof DatabaseError);
      assert.equal(result.reason.kind, 'unavailable');
    }
    await units.run(insert(2003));
  });

  test('an effect that throws is told to the caller of its unit alone', async () => {
    const failing = units.run(async (tx) => {
      tx.afterCommit(() => {
        throw new Error('mine');
      });
    });
    const results = await Promise.allSettled([failing, units.run(insert(3001))]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['rejected', 'fulfilled'],
    );
  });
});
