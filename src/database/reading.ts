// A database that another process uses, read beside it: no lock is taken, nothing is written or migrated.

import type { Queryable, Row } from './database.ts';
import type { Sql } from './sql.ts';
import { SqliteConnection } from './sqlite-connection.ts';

export interface Reading extends Queryable {
  close(): Promise<void>;
}

/** Throws DatabaseError where there is no such file. */
export function readSqlite(path: string): Reading {
  const connection = new SqliteConnection(path, { readOnly: true });
  return {
    all: async <T extends object = Row>(query: Sql) => connection.all(query) as T[],
    get: async <T extends object = Row>(query: Sql) => connection.get(query) as T | undefined,
    close: async () => connection.close(),
  };
}
