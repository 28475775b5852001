// Token buckets by name and key, kept as one number each: the time at which the bucket is full again
// (the generic cell rate algorithm). The least recently used keys are forgotten first.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { entries } from '../lru-entries.ts';
import { MatrixError } from '../protocol/error.ts';
import type { RateLimitName, RateLimitTable } from './rate-limit-names.ts';

export interface RateLimits {
  /** Takes one token of `key` (a user id, an address, an account name); throws M_LIMIT_EXCEEDED where none is left. */
  consume(name: RateLimitName, key: string): void;
  /** Takes so many, even if that is more than are left. */
  spend(name: RateLimitName, key: string, tokens: number): void;
  /** How long it is until a token is left, in ms; 0: there is one. */
  wait(name: RateLimitName, key: string): number;
}

export const noRateLimits: RateLimits = { consume: () => {}, spend: () => {}, wait: () => 0 };

const DEFAULT_MAX_KEYS = 20_000;

export function createRateLimits(
  table: RateLimitTable,
  clock: Clock,
  maxKeys = DEFAULT_MAX_KEYS,
): RateLimits {
  const fullAt = new LRUCache<string, number>(entries(maxKeys));
  const interval = (name: RateLimitName) => 1000 / table[name].perSecond;
  /** When it is full again after so many more have been taken. */
  const after = (name: RateLimitName, key: string, tokens: number) =>
    Math.max(fullAt.get(`${name} ${key}`) ?? 0, clock.now()) + tokens * interval(name);
  const limits: RateLimits = {
    consume(name, key) {
      const wait = limits.wait(name, key);
      if (wait > 0) throw limitExceeded(wait);
      limits.spend(name, key, 1);
    },
    spend: (name, key, tokens) => fullAt.set(`${name} ${key}`, after(name, key, tokens)),
    wait: (name, key) =>
      Math.max(0, after(name, key, 1) - clock.now() - table[name].burst * interval(name)),
  };
  return limits;
}

export function limitExceeded(waitMs: number): MatrixError {
  return new MatrixError('M_LIMIT_EXCEEDED', 'Too many requests', {
    retry_after_ms: Math.ceil(waitMs),
  });
}

/** The part of an address that one household or attacker has: all of IPv4, a /64 of IPv6. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':');
}
