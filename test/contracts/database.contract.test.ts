// What every storage backend must do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { DatabaseError } from '../../src/database/database.ts';
import { list, rows, sql } from '../../src/database/sql.ts';
import { type Backend, type BackendOptions, forEachBackend } from './backends.ts';

const migrations = [
  {
    name: '0001-items',
    statements: [
      sql`CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT_KEY UNIQUE, body BYTES, amount BIGINT)`,
      sql`CREATE INDEX items_amount ON items (amount)`,
    ],
  },
];

async function openItems(backend: Backend, options?: BackendOptions): Promise<Database> {
  const database = await backend.open(options);
  await database.migrate('test', migrations);
  return database;
}

function insert(database: Database, id: number, name = `n${id}`): Promise<number> {
  return database.transact((tx) =>
    tx.run(sql`INSERT INTO items (id, name) VALUES (${id}, ${name})`),
  );
}

async function ids(database: Database): Promise<number[]> {
  const found = await database.all<{ id: number }>(sql`SELECT id FROM items ORDER BY id`);
  return found.map((row) => row.id);
}

function isKind(kind: DatabaseError['kind']) {
  return (error: unknown) => error instanceof DatabaseError && error.kind === kind;
}

forEachBackend('units of work', (backend) => {
  test('a unit that throws is rolled back alone, its error passes, its effects never run', async () => {
    const database = await openItems(backend);
    const ran: string[] = [];
    const failure = new Error('mine');
    const results = await Promise.allSettled([
      insert(database, 1),
      database.transact(async (tx) => {
        await tx.run(sql`INSERT INTO items (id) VALUES (2)`);
        tx.afterCommit(() => ran.push('effect'));
        throw failure;
      }),
      insert(database, 3),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal((results[1] as PromiseRejectedResult).reason, failure);
    assert.deepEqual(await ids(database), [1, 3]);
    assert.deepEqual(ran, []);
  });

  test('reads of the database see committed data only, reads of the unit its own', async () => {
    const database = await openItems(backend);
    await database.transact(async (tx) => {
      await tx.run(sql`INSERT INTO items (id) VALUES (1)`);
      assert.equal((await tx.all(sql`SELECT id FROM items`)).length, 1);
      assert.deepEqual(await ids(database), []);
    });
    assert.deepEqual(await ids(database), [1]);
  });

  test('effects run after COMMIT, in order, before the unit resolves', async () => {
    const order: string[] = [];
    const database = await openItems(backend, {
      beforeCommit: async () => void order.push('commit'),
    });
    order.length = 0;
    await database.transact(async (tx) => {
      tx.afterCommit(() => order.push('first'));
      await tx.run(sql`INSERT INTO items (id) VALUES (1)`);
      tx.afterCommit(() => order.push('second'));
    });
    order.push('resolved');
    assert.deepEqual(order, ['commit', 'first', 'second', 'resolved']);
  });

  test('while COMMIT is held back nothing is visible, resolved or woken, and the event loop runs', async () => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let hold = false;
    const database = await openItems(backend, {
      beforeCommit: async () => {
        if (!hold) return;
        reached.resolve();
        await held.promise;
      },
    });
    hold = true;
    const told: string[] = [];
    const unit = database.transact(async (tx) => {
      tx.afterCommit(() => told.push('effect'));
      await tx.run(sql`INSERT INTO items (id) VALUES (1)`);
    });
    const done = unit.then(() => told.push('resolved'));
    await reached.promise;
    const later = insert(database, 2);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    assert.deepEqual(told, []);
    assert.deepEqual(await ids(database), []);
    hold = false;
    held.resolve();
    await done;
    await later;
    assert.deepEqual(told, ['effect', 'resolved']);
    assert.deepEqual(await ids(database), [1, 2]);
  });

  test('a failing COMMIT fails its units as unavailable, undoes them, and the database recovers', async () => {
    let failing = false;
    const database = await openItems(backend, {
      beforeCommit: async () => {
        if (failing) throw new Error('disk on fire');
      },
    });
    failing = true;
    const told: string[] = [];
    const results = await Promise.allSettled([
      insert(database, 1),
      database.transact(async (tx) => {
        tx.afterCommit(() => told.push('effect'));
        await tx.run(sql`INSERT INTO items (id) VALUES (2)`);
      }),
    ]);
    for (const result of results) {
      assert.equal(result.status, 'rejected');
      assert.ok(isKind('unavailable')(result.reason));
    }
    failing = false;
    assert.deepEqual(await ids(database), []);
    assert.deepEqual(told, []);
    await insert(database, 3);
    assert.deepEqual(await ids(database), [3]);
  });

  test('a statement that failed fails the unit, even when the body carries on', async () => {
    const database = await openItems(backend);
    await insert(database, 1);
    const unit = database.transact(async (tx) => {
      await tx.run(sql`INSERT INTO items (id) VALUES (5)`);
      await tx.run(sql`INSERT INTO items (id) VALUES (1)`).catch(() => undefined);
    });
    await assert.rejects(unit, isKind('unique'));
    assert.deepEqual(await ids(database), [1]);
  });

  test('a transaction cannot be used once its unit is over', async () => {
    const database = await openItems(backend);
    const tx = await database.transact(async (leaked) => leaked);
    await assert.rejects(tx.run(sql`INSERT INTO items (id) VALUES (1)`), isKind('other'));
    assert.deepEqual(await ids(database), []);
  });

  test('concurrent units lose no update', async () => {
    const database = await openItems(backend);
    await database.transact((tx) => tx.run(sql`INSERT INTO items (id, amount) VALUES (1, 0)`));
    const units = Array.from({ length: 40 }, () =>
      database.transact(async (tx) => {
        const row = await tx.get<{ amount: number }>(sql`SELECT amount FROM items WHERE id = 1`);
        await tx.run(sql`UPDATE items SET amount = ${(row?.amount ?? 0) + 1} WHERE id = 1`);
      }),
    );
    await Promise.all(units);
    const row = await database.get<{ amount: number }>(sql`SELECT amount FROM items WHERE id = 1`);
    assert.equal(row?.amount, 40);
  });

  if (backend.engine === 'sqlite') {
    test('units never interleave', async () => {
      const database = await openItems(backend);
      const order: string[] = [];
      const unit = (name: string) =>
        database.transact(async (tx) => {
          for (let step = 0; step < 3; step++) {
            order.push(name);
            await tx.all(sql`SELECT id FROM items`);
          }
        });
      await Promise.all(['a', 'b', 'c'].map(unit));
      assert.equal(order.join(''), 'aaabbbccc');
    });
  }

  test('what a unit registered for its failure runs then, and only then', async () => {
    let failing = false;
    const database = await openItems(backend, {
      beforeCommit: async () => {
        if (failing) throw new Error('no disk');
      },
    });
    const ran: string[] = [];
    const unit = (name: string, body: () => Promise<void>) =>
      database.transact(async (tx) => {
        tx.afterRollback(() => ran.push(name));
        await body();
      });
    await unit('committed', async () => {});
    await assert.rejects(
      unit('threw', async () => {
        throw new Error('mine');
      }),
    );
    failing = true;
    await assert.rejects(unit('lost', async () => {}));
    assert.deepEqual(ran, ['threw', 'lost']);
  });

  test('hundreds of units at once, some of which fail', async () => {
    const database = await openItems(backend);
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) => insert(database, index % 250, `n${index}`)),
    );
    const failed = results.filter((result) => result.status === 'rejected');
    assert.equal(failed.length, 50);
    assert.ok(failed.every((result) => isKind('unique')(result.reason)));
    assert.equal((await ids(database)).length, 250);
  });

  test('close waits for what is queued and refuses what comes after', async () => {
    const database = await openItems(backend);
    const units = [insert(database, 1), insert(database, 2)];
    await database.close();
    await Promise.all(units);
    await assert.rejects(insert(database, 3), isKind('unavailable'));
    await assert.rejects(ids(database), isKind('unavailable'));
    assert.deepEqual(await ids(await backend.open()), [1, 2]);
  });
});

forEachBackend('values', (backend) => {
  test('text, numbers, bytes and NULL come back as they went in, in plain objects', async () => {
    const database = await openItems(backend);
    const row = {
      id: 2 ** 53 - 1,
      name: 'ünï \u{1F600}',
      body: new Uint8Array([0, 255, 1]),
      amount: null,
    };
    await database.transact((tx) =>
      tx.run(sql`INSERT INTO items (id, name, body, amount)
        VALUES (${row.id}, ${row.name}, ${row.body}, ${row.amount})`),
    );
    assert.deepEqual(await database.all(sql`SELECT id, name, body, amount FROM items`), [row]);
    assert.deepEqual(await database.get(sql`SELECT id FROM items WHERE body = ${row.body}`), {
      id: row.id,
    });
    assert.equal(await database.get(sql`SELECT id FROM items WHERE id = 1`), undefined);
  });

  test('counts, sums and conditions are numbers', async () => {
    const database = await openItems(backend);
    await database.transact((tx) =>
      tx.run(sql`INSERT INTO items (id, amount) VALUES (1, 3), (2, 4)`),
    );
    const row = await database.get(sql`
      SELECT count(*) AS n, sum(amount) AS total, amount > 0 AS positive
      FROM items GROUP BY amount > 0`);
    assert.deepEqual(row, { n: 2, total: 7, positive: 1 });
  });

  test('what one of the backends cannot keep is refused by both', async () => {
    const database = await openItems(backend);
    const refused: unknown[] = [
      'a\0b',
      '\ud800',
      undefined,
      true,
      1.5,
      2 ** 53,
      Number.NaN,
      1n,
      {},
      new Date(),
    ];
    for (const value of refused) {
      const bad = value as string;
      await assert.rejects(
        database.transact((tx) => tx.run(sql`INSERT INTO items (id, name) VALUES (1, ${bad})`)),
        isKind('other'),
        String(value),
      );
      await assert.rejects(
        database.all(sql`SELECT id FROM items WHERE name IN ${list('text', [bad])}`),
        isKind('other'),
      );
      await assert.rejects(
        database.transact((tx) =>
          tx.run(sql`INSERT INTO items (id, name)
            SELECT id, name FROM ${rows({ id: 'bigint', name: 'text' }, [{ id: 1, name: bad }])}`),
        ),
        isKind('other'),
      );
    }
    assert.deepEqual(await ids(database), []);
  });

  test('text keys are ordered by code point', async () => {
    const database = await openItems(backend);
    const names = ['Z', 'a', 'ä', '_', '~', 'b', 'B', '\uffff', '\u{10000}', '$x', '-'];
    for (const [id, name] of names.entries()) await insert(database, id, name);
    const found = await database.all<{ name: string }>(sql`SELECT name FROM items ORDER BY name`);
    const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      found.map((row) => row.name),
      expected,
    );
    const range = await database.all<{ name: string }>(
      sql`SELECT name FROM items WHERE name > ${'Z'} AND name < ${'b'} ORDER BY name`,
    );
    assert.deepEqual(
      range.map((row) => row.name),
      ['_', 'a'],
    );
  });

  test('a read that writes is refused', async () => {
    const database = await openItems(backend);
    await assert.rejects(
      database.all(sql`INSERT INTO items (id) VALUES (1) RETURNING id`),
      isKind('other'),
    );
    assert.deepEqual(await ids(database), []);
  });

  test('RETURNING gives the rows', async () => {
    const database = await openItems(backend);
    const found = await database.transact((tx) =>
      tx.all(sql`INSERT INTO items (id, name) VALUES (1, 'a'), (2, 'b') RETURNING id, name`),
    );
    assert.deepEqual(found, [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ]);
  });
});

for (const size of [0, 1, 2, 7, 8, 9, 10, 500, 5000]) {
  forEachBackend(`${size} rows`, (backend) => {
    const data = Array.from({ length: size }, (_, id) => ({
      id,
      name: `"${id}\\,{}'`,
      body: id % 3 === 0 ? null : new Uint8Array([id & 255, 0]),
      amount: id % 2 === 0 ? null : id * 2 ** 33,
    }));
    const source = rows({ id: 'bigint', name: 'text', body: 'bytes', amount: 'bigint' }, data);

    test('are inserted, found again by lists, and joined', async () => {
      const database = await openItems(backend);
      const changed = await database.transact((tx) =>
        tx.run(sql`INSERT INTO items (id, name, body, amount)
          SELECT id, name, body, amount FROM ${source} WHERE true ON CONFLICT (id) DO NOTHING`),
      );
      assert.equal(changed, size);
      const all = sql`SELECT id, name, body, amount FROM items ORDER BY id`;
      assert.deepEqual(await database.all(all), data);
      const names = list(
        'text',
        data.map((row) => row.name),
      );
      const bodies = list(
        'bytes',
        data.map((row) => row.body),
      );
      assert.deepEqual(
        await database.all(sql`SELECT id, name, body, amount FROM items
        WHERE name IN ${names} AND id IN ${list(
          'bigint',
          data.map((row) => row.id),
        )} ORDER BY id`),
        data,
      );
      assert.equal((await ids(database)).length, size);
      const others = await database.all(sql`SELECT id FROM items WHERE name NOT IN ${names}`);
      assert.deepEqual(others, []);
      const withBody = await database.all(sql`SELECT id FROM items WHERE body IN ${bodies}`);
      assert.equal(withBody.length, data.filter((row) => row.body !== null).length);
      const joined = await database.get<{ n: number }>(
        sql`SELECT count(*) AS n FROM ${source} JOIN items ON items.name = r.name AND items.id = r.id`,
      );
      assert.equal(joined?.n, size);
    });
  });
}

forEachBackend('row sources', (backend) => {
  test('of changing size use the same statement', async () => {
    const database = await openItems(backend);
    const add = (names: readonly string[], from: number) =>
      database.transact((tx) =>
        tx.run(
          sql`INSERT INTO items (id, name) SELECT id, name FROM ${rows(
            { id: 'bigint', name: 'text' },
            names.map((name, index) => ({ id: from + index, name })),
          )} WHERE true ON CONFLICT (name) DO UPDATE SET amount = 1`,
        ),
      );
    assert.equal(await add(['a'], 0), 1);
    assert.equal(await add(['b', 'c'], 10), 2);
    assert.equal(
      await add(
        Array.from({ length: 20 }, (_, index) => `x${index}`),
        20,
      ),
      20,
    );
    assert.equal(await add(['a', 'z'], 50), 2);
    assert.equal((await ids(database)).length, 24);
  });
});

forEachBackend('migrations', (backend) => {
  test('are applied once, and new ones after a restart', async () => {
    const database = await openItems(backend);
    await insert(database, 1);
    await Promise.all([database.migrate('test', migrations), database.migrate('other', [])]);
    await database.close();
    const next = {
      name: '0002-colour',
      statements: [sql`ALTER TABLE items ADD COLUMN colour TEXT`],
    };
    const again = await backend.open();
    await again.migrate('test', [...migrations, next]);
    assert.deepEqual(await again.all(sql`SELECT id, colour FROM items`), [{ id: 1, colour: null }]);
  });

  test('that are unknown refuse the start, naming them', async () => {
    const database = await openItems(backend);
    await assert.rejects(
      database.migrate('test', []),
      /newer version: test has the migration 0001-items/,
    );
  });

  test('that fail leave nothing behind', async () => {
    const database = await backend.open();
    const broken = [sql`CREATE TABLE items (id BIGINT)`, sql`CREATE INDEX nope ON nowhere (id)`];
    await assert.rejects(database.migrate('test', [{ name: '0001-items', statements: broken }]));
    await database.migrate('test', migrations);
    assert.deepEqual(await ids(database), []);
  });
});

forEachBackend('integrity', (backend) => {
  test('of a sound database is confirmed', async () => {
    await (await openItems(backend)).checkIntegrity();
  });
});

describe('test isolation', () => {
  forEachBackend('databases', (backend) => {
    for (const run of [1, 2]) {
      test(`are empty in each test (${run})`, async () => {
        const database = await openItems(backend);
        assert.deepEqual(await ids(database), []);
        await insert(database, 1);
      });
    }
  });
});
