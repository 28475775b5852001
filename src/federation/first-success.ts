// Happy eyeballs (RFC 8305): attempts start one after the other, the next as soon as the last has failed or takes long;
// the first that succeeds ends the others.

import type { Clock } from '../clock.ts';

export type Attempt<T> = (signal: AbortSignal) => Promise<T>;

export interface RaceOptions {
  readonly timers: Clock;
  readonly staggerMs: number;
}

/** Throws the error of the first attempt when all have failed. An attempt whose signal is aborted has to clean up itself. */
export function firstSuccess<T>(
  attempts: readonly Attempt<T>[],
  { timers, staggerMs }: RaceOptions,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const losers = new AbortController();
  const errors: unknown[] = [];
  let started = 0;
  let cancel = () => {};
  const startNext = () => {
    cancel();
    const attempt = attempts[started];
    if (attempt === undefined || losers.signal.aborted) return;
    const mine = started++;
    cancel = timers.schedule(staggerMs, startNext);
    attempt(losers.signal).then(
      (value) => {
        cancel();
        resolve(value);
        losers.abort();
      },
      (error) => {
        errors[mine] = error;
        if (Object.keys(errors).length === attempts.length) reject(errors[0]);
        else startNext();
      },
    );
  };
  startNext();
  return promise;
}
