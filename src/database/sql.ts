// The `sql` tag. A statement's TemplateStringsArray is the key of the prepared-statement cache, so a
// statement must be written as one literal: nothing is spliced into its text but the fragments below,
// whose text depends on the backend alone.

import type { SqlValue } from './database.ts';

export type SqlType = 'text' | 'bigint' | 'bytes';

/** `${list('text', ids)}`: use as `WHERE event_id IN ${list('text', ids)}`. */
export interface SqlList {
  readonly kind: 'list';
  readonly type: SqlType;
  readonly values: readonly SqlValue[];
}

/**
 * `${rows({ event_id: 'text', depth: 'bigint' }, data)}`: a row source named `r`; use as
 * `INSERT INTO t (event_id, depth) SELECT event_id, depth FROM ${rows(…)} ON CONFLICT …`, or in a join.
 * (SQLite's grammar wants `WHERE true` between such a SELECT and ON CONFLICT.)
 */
export interface SqlRows {
  readonly kind: 'rows';
  readonly columns: Readonly<Record<string, SqlType>>;
  readonly data: readonly Readonly<Record<string, SqlValue>>[];
}

export type SqlParameter = SqlValue | SqlList | SqlRows;

export interface Sql {
  readonly strings: TemplateStringsArray;
  readonly parameters: readonly SqlParameter[];
}

/**
 * DDL is shared too: write BIGINT, TEXT, BYTES (rendered BLOB or BYTEA); booleans are
 * BIGINT 0 or 1; text keys are `TEXT_KEY` (rendered TEXT, or TEXT COLLATE "C"). A definition takes no parameters.
 * `id BIGINT PRIMARY KEY` is SQLite's row id itself and so the cheapest key there is.
 *
 * Parameters are text, integers within 2^53, bytes or null: anything else, NUL and lone surrogates are refused alike
 * by both backends. Where nothing around it says what a parameter is (`${a} IS NULL`), PostgreSQL wants
 * `CAST(${a} AS BIGINT)`.
 */
export function sql(strings: TemplateStringsArray, ...parameters: readonly SqlParameter[]): Sql {
  return { strings, parameters };
}

export function list(type: SqlType, values: readonly SqlValue[]): SqlList {
  return { kind: 'list', type, values };
}

export function rows(
  columns: Readonly<Record<string, SqlType>>,
  data: readonly Readonly<Record<string, SqlValue>>[],
): SqlRows {
  return { kind: 'rows', columns, data };
}
