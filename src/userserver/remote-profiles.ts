// Profiles of other servers' users, as their servers give them (Server-Server API, `GET /query/profile`). Kept for a
// while, since clients ask for them again and again.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { FederationClient } from '../federation/api.ts';
import { FederationError } from '../federation/federation-error.ts';
import { entries } from '../lru-entries.ts';
import { MatrixError } from '../protocol/error.ts';
import { serverNameOf, type UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';

const KEPT_MS = 300_000;
const MAX_KEPT = 5_000;
const MAX_BYTES = 65_536;
const TIMEOUT_MS = 10_000;

interface Kept {
  /** Undefined: there is no such user. */
  readonly profile: JsonObject | undefined;
  /** ms since the epoch. */
  readonly until: number;
}

export class RemoteProfiles {
  readonly #client: Pick<FederationClient, 'request'> | undefined;
  readonly #clock: Clock;
  readonly #kept = new LRUCache<UserId, Kept>(entries(MAX_KEPT));
  /** So that many who ask at once cost one request. */
  readonly #asking = new Map<UserId, Promise<JsonObject | undefined>>();

  constructor(client: Pick<FederationClient, 'request'> | undefined, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Undefined: there is no such user. Errors: M_FORBIDDEN; M_NOT_FOUND where the server of the user cannot be asked. */
  async find(userId: UserId): Promise<JsonObject | undefined> {
    const kept = this.#kept.get(userId);
    if (kept !== undefined && kept.until > this.#clock.now()) return kept.profile;
    const asking = this.#asking.get(userId) ?? this.#ask(userId);
    this.#asking.set(userId, asking);
    try {
      return await asking;
    } finally {
      if (this.#asking.get(userId) === asking) this.#asking.delete(userId);
    }
  }

  async #ask(userId: UserId): Promise<JsonObject | undefined> {
    if (this.#client === undefined) return undefined;
    try {
      const profile = await this.#client.request({
        destination: serverNameOf(userId),
        method: 'GET',
        path: '/_matrix/federation/v1/query/profile',
        query: { user_id: userId },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      return this.#keep(userId, profile);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (error.status === 404) return this.#keep(userId, undefined);
      if (error.status === 403) throw new MatrixError('M_FORBIDDEN', 'That profile is not public');
      throw new MatrixError('M_NOT_FOUND', 'The server of that user cannot be asked now');
    }
  }

  #keep(userId: UserId, profile: JsonObject | undefined): JsonObject | undefined {
    this.#kept.set(userId, { profile, until: this.#clock.now() + KEPT_MS });
    return profile;
  }
}
