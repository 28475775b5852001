// How long a server waits for media that is being uploaded.

import { integer, type ParameterValues, withDefault } from '../http/parameters.ts';

/** ms. */
const DEFAULT_WAIT = 20_000;
const LONGEST_WAIT = 60_000;

export const waitQuery = { timeout_ms: withDefault(integer({ minimum: 0 }), DEFAULT_WAIT) };

export function waitOf({ timeout_ms: timeoutMs }: ParameterValues<typeof waitQuery>): number {
  return Math.min(timeoutMs, LONGEST_WAIT);
}
