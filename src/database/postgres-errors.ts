// What went wrong on PostgreSQL, in terms of the Database interface.

import { DatabaseError } from './database.ts';

const UNIQUE_VIOLATION = '23505';
/** A serialization failure and a deadlock: the same unit may well succeed when it is run again. */
const REPEATABLE = new Set(['40001', '40P01']);
/** Connection, resources, operator intervention, system error. */
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58']);

export function isRepeatable(error: unknown): boolean {
  return error instanceof DatabaseError && REPEATABLE.has(sqlStateOf(error.cause) ?? '');
}

export function toDatabaseError(cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new DatabaseError(kindOf(sqlStateOf(cause)), message, { cause });
}

/** What has no state of the server's comes from the connection. */
function kindOf(state: string | undefined): DatabaseError['kind'] {
  if (state === undefined || REPEATABLE.has(state)) return 'unavailable';
  if (state === UNIQUE_VIOLATION) return 'unique';
  return UNAVAILABLE_CLASSES.has(state.slice(0, 2)) ? 'unavailable' : 'other';
}

function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined;
  return String(error.code);
}
