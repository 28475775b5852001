// `timeout` of long polls, in ms.

import { integer, type Parameter } from '../http/parameters.ts';

/** Longer than any proxy leaves a silent connection open; clients poll again. */
export const LONGEST_POLL_MS = 300_000;

export function longPoll(): Parameter<number> {
  const timeout = integer({ minimum: 0 });
  return {
    ...timeout,
    read: (name, occurrences) => Math.min(timeout.read(name, occurrences), LONGEST_POLL_MS),
    whenAbsent: () => 0,
  };
}
