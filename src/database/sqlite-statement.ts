// Renders the `sql` tag for SQLite: the text of a statement, and the values to bind to it.

import type { SQLInputValue } from 'node:sqlite';
import type { SqlValue } from './database.ts';
import { DatabaseError } from './database.ts';
import type { Sql, SqlList, SqlParameter, SqlRows, SqlType } from './sql.ts';
import { checkTyped, checkValue } from './values.ts';

/**
 * Up to this many rows are bound as VALUES, one prepared statement per number of rows; more travel as one JSON
 * text, which costs about twice as much per row (more where texts are long) but needs a single statement.
 */
const MAX_VALUES_ROWS = 32;

/** Statements of one template differ in text only by the number of VALUES in its row sources. */
export function shapeOf(query: Sql): number {
  let shape = 0;
  for (const parameter of query.parameters) {
    if (isFragment(parameter) && parameter.kind === 'rows') {
      shape = shape * (MAX_VALUES_ROWS + 1) + valuesRows(parameter);
    }
  }
  return shape;
}

export function renderForSqlite(query: Sql): string {
  let text = query.strings[0] ?? '';
  query.parameters.forEach((parameter, index) => {
    text += renderParameter(parameter) + query.strings[index + 1];
  });
  return isDefinition(text) ? renderDefinition(text) : text;
}

export function bindForSqlite(query: Sql): SQLInputValue[] {
  const bound: SQLInputValue[] = [];
  for (const parameter of query.parameters) {
    if (!isFragment(parameter)) bound.push(native(checkValue(parameter)));
    else if (parameter.kind === 'list') bound.push(listJson(parameter));
    else bindRows(parameter, bound);
  }
  return bound;
}

export function isFragment(parameter: SqlParameter): parameter is SqlList | SqlRows {
  return typeof parameter === 'object' && parameter !== null && 'kind' in parameter;
}

function renderParameter(parameter: SqlParameter): string {
  if (!isFragment(parameter)) return '?';
  if (parameter.kind === 'rows') return renderRows(parameter);
  const value = parameter.type === 'bytes' ? 'unhex(value)' : 'value';
  return `(SELECT ${value} FROM json_each(?))`;
}

function renderRows(source: SqlRows): string {
  const columns = Object.entries(source.columns);
  const count = valuesRows(source);
  if (count === 0) {
    const cells = columns.map(([name, type], index) => {
      const cell = `json_extract(value, '$[${index}]')`;
      return `${type === 'bytes' ? `unhex(${cell})` : cell} AS ${name}`;
    });
    return `(SELECT ${cells.join(', ')} FROM json_each(?)) AS r`;
  }
  const names = columns.map(([name], index) => `column${index + 1} AS ${name}`);
  const row = `(${columns.map(() => '?').join(', ')})`;
  return `(SELECT ${names.join(', ')} FROM (VALUES ${Array(count).fill(row).join(', ')})) AS r`;
}

/** 0: the rows travel as JSON. */
function valuesRows(source: SqlRows): number {
  return source.data.length <= MAX_VALUES_ROWS ? source.data.length : 0;
}

function bindRows(source: SqlRows, bound: SQLInputValue[]): void {
  const columns = Object.entries(source.columns);
  if (valuesRows(source) > 0) {
    for (const row of source.data) {
      for (const [name, type] of columns) bound.push(native(checkTyped(type, row[name])));
    }
    return;
  }
  bound.push(
    JSON.stringify(source.data.map((row) => columns.map(([name, type]) => cell(type, row[name])))),
  );
}

function listJson({ type, values }: SqlList): string {
  return JSON.stringify(values.map((value) => cell(type, value)));
}

function cell(type: SqlType, value: SqlValue | undefined): string | number | null {
  const checked = checkTyped(type, value);
  return checked instanceof Uint8Array ? checked.toHex() : checked;
}

/** node:sqlite binds every number as REAL, which would make `? / 2` a fraction and `?` in a text column `5.0`. */
export function native(value: SqlValue): SQLInputValue {
  return typeof value === 'number' ? BigInt(value) : value;
}

export function isDefinition(text: string): boolean {
  return /^\s*(CREATE|ALTER|DROP)\b/i.test(text);
}

/** `INTEGER PRIMARY KEY` is SQLite's row id itself, where BIGINT would cost a second B-tree. */
function renderDefinition(text: string): string {
  if (text.includes('?')) throw new DatabaseError('other', 'a definition takes no parameters');
  return text
    .replaceAll(/\bTEXT_KEY\b/g, 'TEXT')
    .replaceAll(/\bBYTES\b/g, 'BLOB')
    .replaceAll(/\bBIGINT PRIMARY KEY\b/g, 'INTEGER PRIMARY KEY');
}
