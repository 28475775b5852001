// Bytes of a request → JSON, once. What PostgreSQL, UTF-8 or a double cannot keep is refused here.
// Numbers stay plain (tags are ordered by fractions): unlike in events of other servers, nothing is signed yet.

import { isUtf8 } from 'node:buffer';
import { readForeignJson } from '../json-as-it-comes.ts';
import { MatrixError } from '../protocol/error.ts';
import { isRawNumber, type JsonValue } from '../protocol/json.ts';
import { checkJsonBounds, isStorableText } from '../protocol/json-checks.ts';

/** Whatever is to be refused cannot be written without one of these; strings may match too, which costs time only. */
const SUSPICIOUS = /\\u|__proto__|[0-9]{16}|[0-9][eE]/;

/** Throws M_NOT_JSON where it is no JSON, M_BAD_JSON where it is JSON that cannot be kept. */
export function parseJsonBody(bytes: Buffer): unknown {
  const text = decode(bytes);
  checkJsonBounds(text);
  const value = parse(text);
  if (SUSPICIOUS.test(text)) checkValue(value);
  return value;
}

/**
 * What another server has signed: numbers are kept exactly. `anyText`: a piece of it that cannot be kept
 * is refused by who reads it.
 */
export async function readServerBody(
  chunks: AsyncIterable<Buffer>,
  anyText: boolean,
): Promise<JsonValue | undefined> {
  let isSuspicious = false;
  const value = await readForeignJson(chunks, (text) => {
    isSuspicious ||= SUSPICIOUS.test(text);
  });
  if (!anyText && isSuspicious) checkValue(value);
  return value;
}

function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new MatrixError('M_NOT_JSON', 'The body is not valid UTF-8');
  return bytes.toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MatrixError('M_NOT_JSON', 'The body is not valid JSON');
  }
}

function checkValue(value: unknown): void {
  if (typeof value === 'string') checkText(value);
  else if (typeof value === 'number') checkNumber(value);
  else if (Array.isArray(value)) value.forEach(checkValue);
  else if (typeof value === 'object' && value !== null && !isRawNumber(value)) {
    for (const [key, member] of Object.entries(value)) {
      checkText(key);
      // A plain key as yet, but the first `target[key] = …` behind us would set a prototype.
      if (key === '__proto__') throw bad("has a key '__proto__'");
      checkValue(member);
    }
  }
}

function checkText(text: string): void {
  if (!isStorableText(text)) throw bad('contains a NUL character or a lone surrogate');
}

function checkNumber(value: number): void {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw bad('contains a number beyond 2^53 - 1');
}

function bad(reason: string): MatrixError {
  return new MatrixError('M_BAD_JSON', `The body ${reason}`);
}
