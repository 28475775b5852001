// The query of a URL, decoded strictly: malformed percent-encoding is an error and never a guess.

import { MatrixError } from '../protocol/error.ts';

/** Every value of each key, in order of appearance. */
export type QueryValues = ReadonlyMap<string, readonly string[]>;

const NONE: QueryValues = new Map();

/** `url`: path and query as they stand in the request line. Throws M_INVALID_PARAM. */
export function parseQueryString(url: string): QueryValues {
  const start = url.indexOf('?');
  if (start === -1 || start === url.length - 1) return NONE;
  const values = new Map<string, string[]>();
  for (const pair of url.slice(start + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new MatrixError('M_INVALID_PARAM', 'The query has malformed percent-encoding');
  }
}
