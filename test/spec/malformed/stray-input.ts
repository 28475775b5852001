// Input that an endpoint without parameters does not look at, or should not.

import type { MalformedRequest } from './malformed-request.ts';

const STRAYS = [
  '%',
  '%00',
  '%FF',
  '=',
  '&&&',
  '?',
  'a=b=c',
  'a%5B%5D=1',
  '__proto__=1',
  'x'.repeat(4000),
];

/** `count` requests, each of them other. */
export function strayInput(count: number): readonly MalformedRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const stray = STRAYS[index % STRAYS.length] ?? '';
    const rawQuery = `${stray}&n${index}=${encodeURIComponent('\u{1f4a5}"\\')}`;
    return { fault: `stray query ${index}`, call: {}, rawQuery };
  });
}
