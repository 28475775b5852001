// `INSERT … SELECT … FROM ${rows}` on SQLite: one statement of a single row, run for each, costs half of one for the
// whole set. Within a unit of work that is the same, since a failure takes back all of it.

import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { Sql, SqlRows } from './sql.ts';
import { isFragment, native } from './sqlite-statement.ts';
import { checkTyped } from './values.ts';

const INSERT = /^\s*(INSERT\s+INTO\s+\w+\s*\([\w\s,]+\))\s*SELECT\s+([\w\s,]+?)\s+FROM\s+$/i;
const CONFLICT = /^\s*(?:WHERE\s+true\s+(ON\s+CONFLICT\b[\s\S]*))?$/i;

const ROWS_AT_ONCE = 1_000;

export interface RowInsert {
  /** Inserts the rows of a query of the same template, and pauses from time to time; returns how many were inserted or changed. */
  run(query: Sql): Generator<undefined, number>;
}

/** Undefined where the statement asks for more than to insert each row. */
export function rowInsertOf(
  { strings, parameters }: Sql,
  prepare: (text: string) => StatementSync,
): RowInsert | undefined {
  const [source] = parameters;
  if (parameters.length !== 1 || !isRows(source)) return undefined;
  const [, insert, selected = ''] = INSERT.exec(strings[0] ?? '') ?? [];
  const [, conflict = ''] = CONFLICT.exec(strings[1] ?? '') ?? [undefined, 'RETURNING'];
  if (insert === undefined || conflict.includes('RETURNING')) return undefined;
  const items = selected.split(',').map((item) => item.trim());
  const names = items.filter((item) => item in source.columns);
  const values = items.map((item) => (item in source.columns ? '?' : item));
  const statement = prepare(`${insert} VALUES (${values.join(', ')}) ${conflict}`);
  return { run: (query) => insertEach(statement, names, query.parameters[0] as SqlRows) };
}

function isRows(parameter: Sql['parameters'][number] | undefined): parameter is SqlRows {
  return parameter !== undefined && isFragment(parameter) && parameter.kind === 'rows';
}

function* insertEach(
  statement: StatementSync,
  names: readonly string[],
  { columns, data }: SqlRows,
): Generator<undefined, number> {
  let changed = 0;
  for (const [index, row] of data.entries()) {
    if (index > 0 && index % ROWS_AT_ONCE === 0) yield;
    const bound: SQLInputValue[] = [];
    for (const name of names) {
      bound.push(native(checkTyped(columns[name] as SqlRows['columns'][string], row[name])));
    }
    changed += Number(statement.run(...bound).changes);
  }
  return changed;
}
