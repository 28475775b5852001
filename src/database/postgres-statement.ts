// Renders the `sql` tag for PostgreSQL, and reads its values as SQLite would give them.

import { types } from 'pg';
import type { SqlValue } from './database.ts';
import { DatabaseError } from './database.ts';
import type { Sql, SqlList, SqlParameter, SqlRows, SqlType } from './sql.ts';
import { checkTyped, checkValue } from './values.ts';

export interface PostgresStatement {
  /** Absent for definitions, which are run once and so are not prepared. */
  readonly name?: string;
  readonly text: string;
}

const statements = new WeakMap<TemplateStringsArray, PostgresStatement>();
let lastName = 0;

/** The text of a template is the same whatever its values; the server prepares it once per connection. */
export function statementOf(query: Sql): PostgresStatement {
  const known = statements.get(query.strings);
  if (known !== undefined) return known;
  const text = render(query);
  const statement = isDefinition(text)
    ? { text: renderDefinition(text, query) }
    : { text, name: `k${++lastName}` };
  statements.set(query.strings, statement);
  return statement;
}

export function bindForPostgres(query: Sql): unknown[] {
  const bound: unknown[] = [];
  for (const parameter of query.parameters) {
    if (!isFragment(parameter)) bound.push(checkValue(parameter));
    else if (parameter.kind === 'list') bound.push(column(parameter.type, parameter.values));
    else bindRows(parameter, bound);
  }
  return bound;
}

const ARRAY: Readonly<Record<SqlType, string>> = {
  text: 'text[]',
  bigint: 'bigint[]',
  bytes: 'bytea[]',
};

function render(query: Sql): string {
  let text = query.strings[0] ?? '';
  let used = 0;
  query.parameters.forEach((parameter, index) => {
    const first = used + 1;
    if (!isFragment(parameter)) {
      text += `$${first}`;
      used += 1;
    } else if (parameter.kind === 'list') {
      text = appendList(text, `$${first}::${ARRAY[parameter.type]}`);
      used += 1;
    } else {
      text += renderRows(parameter, first);
      used += Object.keys(parameter.columns).length;
    }
    text += query.strings[index + 1];
  });
  return text;
}

/** `IN (SELECT unnest(…))` would be planned as a join; `= ANY (…)` looks each value up in an index. */
function appendList(text: string, array: string): string {
  const operator = /\b(NOT\s+)?IN\s*$/i.exec(text);
  if (operator === null) return `${text}(SELECT unnest(${array}))`;
  const rest = text.slice(0, operator.index);
  return operator[1] === undefined ? `${rest}= ANY (${array})` : `${rest}<> ALL (${array})`;
}

function renderRows({ columns }: SqlRows, first: number): string {
  const arrays = Object.values(columns).map((type, index) => `$${first + index}::${ARRAY[type]}`);
  return `unnest(${arrays.join(', ')}) AS r(${Object.keys(columns).join(', ')})`;
}

function bindRows({ columns, data }: SqlRows, bound: unknown[]): void {
  for (const [name, type] of Object.entries(columns)) {
    bound.push(
      column(
        type,
        data.map((row) => row[name]),
      ),
    );
  }
}

function column(type: SqlType, values: readonly (SqlValue | undefined)[]): SqlValue[] {
  return values.map((value) => checkTyped(type, value));
}

function isFragment(parameter: SqlParameter): parameter is SqlList | SqlRows {
  return typeof parameter === 'object' && parameter !== null && 'kind' in parameter;
}

function isDefinition(text: string): boolean {
  return /^\s*(CREATE|ALTER|DROP)\b/i.test(text);
}

function renderDefinition(text: string, query: Sql): string {
  if (query.parameters.length > 0) {
    throw new DatabaseError('other', 'a definition takes no parameters');
  }
  return text.replaceAll(/\bTEXT_KEY\b/g, 'TEXT COLLATE "C"').replaceAll(/\bBYTES\b/g, 'BYTEA');
}

const parsers = new Map<number, (text: string) => SqlValue>([
  [types.builtins.BOOL, (text) => (text === 't' ? 1 : 0)],
  [types.builtins.INT2, Number],
  [types.builtins.INT4, Number],
  [types.builtins.INT8, safeInteger],
  [types.builtins.NUMERIC, Number],
  [types.builtins.FLOAT4, Number],
  [types.builtins.FLOAT8, Number],
  [types.builtins.BYTEA, (text) => Uint8Array.fromHex(text.slice(2))],
]);

/** For `pg`: numbers and conditions as numbers, bytes as plain Uint8Array, all else as text. */
export const typeParsers = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? ((text: string) => text),
};

function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new DatabaseError('other', `a stored number is beyond 2^53: ${text}`);
}
