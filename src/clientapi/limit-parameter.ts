// `limit` of endpoints that answer lists: clients may ask for anything, and get at most what is bearable.

import { integer, type Parameter } from '../http/parameters.ts';

export function limit(bounds: {
  readonly whenAbsent: number;
  readonly maximum: number;
}): Parameter<number> {
  const count = integer({ minimum: 0 });
  return {
    ...count,
    read: (name, occurrences) => Math.min(count.read(name, occurrences), bounds.maximum),
    whenAbsent: () => bounds.whenAbsent,
  };
}
