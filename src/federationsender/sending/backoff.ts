// When a destination that failed is tried again.

const FIRST_MS = 1_000;
/** Who is away for days is tried a few times a day. */
const LONGEST_MS = 6 * 3_600_000;
/** Of the interval, to either side: those that failed together are not tried together. */
const JITTER = 0.2;

export interface Backoff {
  /** ms: doubles each time. */
  readonly interval: number;
  /** ms from now, with jitter. */
  readonly delay: number;
}

export interface BackoffOptions {
  /** ms; 0: this is the first failure. */
  readonly lastInterval: number;
  /** ms, as the destination asked for. */
  readonly retryAfterMs?: number | undefined;
  /** Trying again soon cannot help. */
  readonly isFinal: boolean;
  /** From 0 to 1. */
  readonly random: () => number;
}

export function backoff(options: BackoffOptions): Backoff {
  const { lastInterval, retryAfterMs = 0, isFinal, random } = options;
  const next = lastInterval === 0 ? FIRST_MS : Math.min(lastInterval * 2, LONGEST_MS);
  const interval = isFinal ? LONGEST_MS : next;
  const jittered = Math.round(interval * (1 - JITTER + 2 * JITTER * random()));
  return { interval, delay: Math.max(jittered, Math.min(retryAfterMs, LONGEST_MS)) };
}
