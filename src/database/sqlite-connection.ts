// One connection of node:sqlite, with its prepared statements. Everything here is synchronous.

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Row, SqlValue } from './database.ts';
import { DatabaseError } from './database.ts';
import type { Sql } from './sql.ts';
import { type RowInsert, rowInsertOf } from './sqlite-row-insert.ts';
import { bindForSqlite, isDefinition, renderForSqlite, shapeOf } from './sqlite-statement.ts';
import { checkRead } from './values.ts';

const BUSY_TIMEOUT_MS = 5000;

interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new WeakMap<TemplateStringsArray, Map<number, Prepared>>();
  readonly #rowInserts = new WeakMap<TemplateStringsArray, RowInsert | 'none'>();
  readonly #plain = new Map<string, StatementSync>();
  readonly #readOnly: boolean;
  #logStatus: StatementSync | undefined;

  constructor(path: string, options: { readonly readOnly?: boolean } = {}) {
    this.#readOnly = options.readOnly ?? false;
    this.#database = wrapErrors(
      () =>
        new DatabaseSync(path, {
          readOnly: this.#readOnly,
          timeout: BUSY_TIMEOUT_MS,
          enableForeignKeyConstraints: false,
        }),
    );
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction;
  }

  all(query: Sql): Row[] {
    return wrapErrors(() => {
      const { statement, columns } = this.#prepare(query);
      const found = statement.all(...bindForSqlite(query)) as unknown as SqlValue[][];
      return found.map((values) => toRow(columns, values));
    });
  }

  get(query: Sql): Row | undefined {
    return wrapErrors(() => {
      const { statement, columns } = this.#prepare(query);
      const values = statement.get(...bindForSqlite(query)) as unknown as SqlValue[] | undefined;
      return values === undefined ? undefined : toRow(columns, values);
    });
  }

  run(query: Sql): number {
    const step = this.stepwise(query);
    for (;;) {
      const changed = step();
      if (changed !== undefined) return changed;
    }
  }

  /** As `run`, in several calls where there are many rows: until one gives the number. */
  stepwise(query: Sql): () => number | undefined {
    const rowInsert = wrapErrors(() => this.#prepareRowInsert(query));
    if (rowInsert === 'none') {
      return () =>
        wrapErrors(() =>
          Number(this.#prepare(query).statement.run(...bindForSqlite(query)).changes),
        );
    }
    const steps = rowInsert.run(query);
    return () => wrapErrors(() => steps.next().value);
  }

  /** Statements without parameters that are run again and again: BEGIN, SAVEPOINT, COMMIT … */
  control(text: string): void {
    wrapErrors(() => {
      let statement = this.#plain.get(text);
      if (statement === undefined) {
        statement = this.#database.prepare(text);
        this.#plain.set(text, statement);
      }
      statement.run();
    });
  }

  /** Reads see what is committed now, until `releaseSnapshot`. */
  holdSnapshot(): void {
    this.control('BEGIN');
    try {
      this.control('SELECT 1 FROM sqlite_schema WHERE rowid = 1'); // the first read takes the snapshot
    } catch (error) {
      this.releaseSnapshot();
      throw error;
    }
  }

  releaseSnapshot(): void {
    this.control('ROLLBACK');
  }

  pragma(text: string): Row[] {
    return wrapErrors(() => this.#database.prepare(`PRAGMA ${text}`).all() as unknown as Row[]);
  }

  /** Pages of the write-ahead log, and how many of them are copied back already. */
  logStatus(): { readonly length: number; readonly copied: number } {
    this.#logStatus ??= this.#database.prepare('PRAGMA wal_checkpoint(NOOP)');
    const status = wrapErrors(() => this.#logStatus?.get());
    return { length: Number(status?.log), copied: Number(status?.checkpointed) };
  }

  close(): void {
    this.#database.close();
  }

  #prepareRowInsert(query: Sql): RowInsert | 'none' {
    const known = this.#rowInserts.get(query.strings);
    if (known !== undefined) return known;
    const rowInsert = rowInsertOf(query, (text) => this.#database.prepare(text)) ?? 'none';
    this.#rowInserts.set(query.strings, rowInsert);
    return rowInsert;
  }

  #prepare(query: Sql): Prepared {
    const shape = shapeOf(query);
    const known = this.#statements.get(query.strings)?.get(shape);
    if (known !== undefined) return known;
    const text = renderForSqlite(query);
    if (this.#readOnly) checkRead(text);
    const statement = this.#database.prepare(text);
    // Arrays, made into objects here, cost half of node's own rows, which are slow objects without a prototype.
    statement.setReturnArrays(true);
    const prepared = { statement, columns: statement.columns().map((column) => column.name) };
    if (isDefinition(text)) return prepared;
    const shapes = this.#statements.get(query.strings) ?? new Map<number, Prepared>();
    shapes.set(shape, prepared);
    this.#statements.set(query.strings, shapes);
    return prepared;
  }
}

function toRow(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (let index = 0; index < columns.length; index++) {
    row[columns[index] as string] = values[index] as SqlValue;
  }
  return row;
}

const UNIQUE = new Set([1555, 2067, 2579]);
/** Primary result codes: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB. */
const UNAVAILABLE = new Set([5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26]);

function wrapErrors<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof DatabaseError || !(cause instanceof Error)) throw cause;
    const code = 'errcode' in cause ? Number(cause.errcode) : 0;
    throw new DatabaseError(kindOf(code), cause.message, { cause });
  }
}

function kindOf(code: number): DatabaseError['kind'] {
  if (UNIQUE.has(code)) return 'unique';
  return UNAVAILABLE.has(code & 0xff) ? 'unavailable' : 'other';
}
