// What the userserver can be told.

export interface UserserverConfig {
  readonly passwordHash: {
    /** Costs next to nothing, protects nothing. */
    readonly fastForTests: boolean;
    /** Memory of one hash, in KiB. Default 19,456. */
    readonly memoryKib?: number;
    /** Default 2. */
    readonly passes?: number;
    /** Lanes of one hash. Default 1. */
    readonly parallelism?: number;
    /** Hashes computed at once, each on a thread of its own. Default 2. */
    readonly concurrency?: number;
  };
  /** In characters. Default 8. */
  readonly minPasswordLength?: number;
  /** Of sessions with a refresh token, in ms; other access tokens do not expire. Default one hour. */
  readonly accessTokenLifetimeMs?: number;
}
