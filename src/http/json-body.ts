// Bytes of a request → JSON, once. What PostgreSQL, UTF-8 or a double cannot keep is refused here.

import { isUtf8 } from 'node:buffer';
import { MatrixError } from '../protocol/error.ts';

/** Deeper nesting than any client has use for, and far from the depth at which a stack ends. */
const MAX_DEPTH = 100;

/** Throws M_NOT_JSON where it is no JSON, M_BAD_JSON where it is JSON that cannot be kept. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new MatrixError('M_NOT_JSON', 'The body is not valid UTF-8');
  const value = parse(bytes.toString('utf8'));
  checkValue(value, MAX_DEPTH);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new MatrixError('M_NOT_JSON', 'The body is not valid JSON');
    throw error;
  }
}

function checkValue(value: unknown, depthLeft: number): void {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'number') checkNumber(value);
  else if (typeof value === 'object' && value !== null) {
    if (depthLeft === 0) throw bad(`is nested more than ${MAX_DEPTH} levels deep`);
    if (Array.isArray(value)) for (const item of value) checkValue(item, depthLeft - 1);
    else checkObject(value as Readonly<Record<string, unknown>>, depthLeft - 1);
  }
}

function checkObject(object: Readonly<Record<string, unknown>>, depthLeft: number): void {
  for (const key in object) {
    checkText(key);
    // JSON.parse makes it a plain key, but the first `target[key] = …` behind us would set a prototype.
    if (key === '__proto__') throw bad("has a key '__proto__'");
    checkValue(object[key], depthLeft);
  }
}

function checkText(text: string): void {
  if (text.includes('\0')) throw bad('contains a NUL character');
  if (!text.isWellFormed()) throw bad('contains a lone surrogate');
}

function checkNumber(value: number): void {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw bad('contains a number beyond 2^53 - 1');
}

function bad(reason: string): MatrixError {
  return new MatrixError('M_BAD_JSON', `The body ${reason}`);
}
