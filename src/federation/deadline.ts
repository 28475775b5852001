// Ends an exchange that takes too long, however it is drawn out.

import type { Clock } from '../clock.ts';

export class DeadlineError extends Error {
  constructor(timeoutMs: number) {
    super(`not done within ${timeoutMs} ms`);
    this.name = 'DeadlineError';
  }
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Begins anew, with as much time as is given. */
  extend(timeoutMs: number): void;
  /** The exchange is over. */
  clear(): void;
}

/** Ends with `signal`, too. */
export function createDeadline(timers: Clock, timeoutMs: number, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const expire = (ms: number) =>
    timers.schedule(ms, () => controller.abort(new DeadlineError(timeoutMs)));
  let cancel = expire(timeoutMs);
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    extend: (ms) => {
      cancel();
      cancel = expire(ms);
    },
    clear: () => {
      cancel();
      signal?.removeEventListener('abort', abort);
    },
  };
}
