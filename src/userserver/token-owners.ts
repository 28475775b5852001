// Whose access token is this? Asked once per request, so what is known is kept in memory.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { TokenOwner } from './api.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import { lockAccount } from './store/accounts.ts';
import { type SessionOwnerRow, selectSessionOwner, updateToFirstUsed } from './store/sessions.ts';
import { hashOfToken } from './tokens.ts';

const MAX_REMEMBERED = 50_000;

interface KnownToken {
  readonly owner: TokenOwner;
  /** ms since the epoch; null: never. */
  readonly expiresTs: number | null;
  /** The access hash of the generation that ends with the first use of this token. */
  readonly replaces: string | null;
}

export class TokenOwners {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #known: ReadThroughCache<string, KnownToken>;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#known = new ReadThroughCache(MAX_REMEMBERED, async (hash) => {
      const row = await selectSessionOwner(database, hash);
      return row && toKnownToken(hash, row);
    });
  }

  /** Undefined for an unknown token; throws M_UNKNOWN_TOKEN with `soft_logout` for an expired one. */
  async query(token: string): Promise<TokenOwner | undefined> {
    const hash = hashOfToken(token);
    const known = this.#known.peek(hash) ?? (await this.#known.get(hash));
    if (known === undefined) return undefined;
    if (known.expiresTs !== null && known.expiresTs <= this.#clock.now()) {
      throw new MatrixError('M_UNKNOWN_TOKEN', 'Access token has expired', { soft_logout: true });
    }
    if (known.replaces === null) return known.owner;
    return (await this.#useFirst(hash, known.owner.userId, known.replaces))
      ? known.owner
      : undefined;
  }

  /** After COMMIT of `tx` these access hashes are read anew; also when it fails, since it may have been committed all the same. */
  forgetAfterCommit(tx: Transaction, accessHashes: readonly string[]): void {
    const forget = () => {
      for (const hash of accessHashes) this.#known.forget(hash);
    };
    tx.afterCommit(forget);
    tx.afterRollback(forget);
  }

  /** The client has the new tokens, so the old ones end. False when a later refresh has ended this token. */
  #useFirst(hash: string, userId: UserId, replaces: string): Promise<boolean> {
    return this.#database.transact(async (tx) => {
      await lockAccount(tx, userId);
      this.forgetAfterCommit(tx, [hash, replaces]);
      if ((await selectSessionOwner(tx, hash)) === undefined) return false;
      return updateToFirstUsed(tx, hash, replaces);
    });
  }
}

function toKnownToken(hash: string, row: SessionOwnerRow): KnownToken {
  const owner: TokenOwner = {
    userId: row.user_id,
    deviceId: row.device_id,
    deviceCreatedTs: row.device_created_ts,
    isGuest: row.is_guest === 1,
    isAdmin: row.is_admin === 1,
    accessTokenId: hash.slice(0, 22),
  };
  return { owner, expiresTs: row.expires_ts, replaces: row.replaces };
}
