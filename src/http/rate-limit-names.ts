// The named rate limits with their defaults: what one user (or one address, where nobody is
// signed in), or one other server, may do.

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
  /** Requests that claim to be of another server, by address, before their signature is looked at. */
  federationAddress: { perSecond: 200, burst: 1000 },
  /**
   * What requests of other servers cost this one, in ms of its time, estimated before they are read: by address, and by address
   * and the server that is claimed there. Who has spent it waits.
   */
  federationAddressWork: { perSecond: 600, burst: 600 },
  federationWork: { perSecond: 300, burst: 300 },
  /** The rest of these: by the server that has signed. */
  federation: { perSecond: 50, burst: 500 },
  federationTransaction: { perSecond: 20, burst: 100 },
  federationHandshake: { perSecond: 5, burst: 50 },
  federationState: { perSecond: 2, burst: 50 },
} as const satisfies Record<string, RateLimit>;

export type RateLimitName = keyof typeof RATE_LIMIT_DEFAULTS;
export type RateLimitTable = Readonly<Record<RateLimitName, RateLimit>>;
