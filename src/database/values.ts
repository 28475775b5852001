// What may be bound to a statement: checked alike for both backends, since each would accept things
// that the other refuses (SQLite binds `undefined` as NULL without a word, PostgreSQL keeps no NUL).

import type { SqlValue } from './database.ts';
import { DatabaseError } from './database.ts';
import type { SqlType } from './sql.ts';

/** Refuses what either backend cannot keep: NUL, lone surrogates, fractions, numbers beyond 2^53, other types. */
export function checkValue(value: SqlValue): SqlValue {
  if (typeof value === 'string') return checkText(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (value === null || value instanceof Uint8Array) return value;
  throw new DatabaseError('other', `a ${describe(value)} cannot be bound to a statement`);
}

/** `checkValue` for an element of a list or a cell of rows, whose type is declared; null is allowed. */
export function checkTyped(type: SqlType, value: SqlValue | undefined): SqlValue {
  if (value === null) return value;
  if (type === 'text' && typeof value === 'string') return checkText(value);
  if (type === 'bigint' && Number.isSafeInteger(value)) return value as number;
  if (type === 'bytes' && value instanceof Uint8Array) return value;
  throw new DatabaseError('other', `a ${describe(value)} was given where ${type} is declared`);
}

/** Reads outside a unit of work must not write: on a pool of connections nothing would order that. */
export function checkRead(text: string): void {
  if (/^\s*(SELECT|WITH|VALUES)\b/i.test(text)) return;
  throw new DatabaseError('other', 'only a unit of work may write');
}

function checkText(value: string): string {
  if (value.includes('\0') || !value.isWellFormed()) {
    throw new DatabaseError('other', 'text with a NUL or a lone surrogate cannot be stored');
  }
  return value;
}

function describe(value: unknown): string {
  return typeof value === 'number' ? 'number that is no safe integer' : typeof value;
}
