// The named rate limits with their defaults: what one user (or one address, where nobody is signed in) may do.

export interface RateLimit {
  /** How many a second in the long run. */
  readonly perSecond: number;
  /** How many at once. */
  readonly burst: number;
}

export const RATE_LIMIT_DEFAULTS = {
  /** Every request, whatever it is. */
  request: { perSecond: 100, burst: 500 },
  login: { perSecond: 0.5, burst: 20 },
  registration: { perSecond: 0.5, burst: 20 },
  message: { perSecond: 10, burst: 100 },
  roomCreation: { perSecond: 0.5, burst: 20 },
  membership: { perSecond: 2, burst: 50 },
  peek: { perSecond: 2, burst: 50 },
  media: { perSecond: 10, burst: 100 },
  lookup: { perSecond: 5, burst: 50 },
} as const satisfies Record<string, RateLimit>;

export type RateLimitName = keyof typeof RATE_LIMIT_DEFAULTS;
export type RateLimitTable = Readonly<Record<RateLimitName, RateLimit>>;
