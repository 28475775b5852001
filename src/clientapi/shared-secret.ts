// Registration by shared secret, as Synapse's admin API has it: a nonce that is good once, and an HMAC
// over it and what is to be registered.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { entries } from '../lru-entries.ts';
import { MatrixError } from '../protocol/error.ts';
import { randomOpaqueId } from '../protocol/opaque-ids.ts';

const NONCE_LIFETIME_MS = 60_000;

export interface SharedSecretRequest {
  readonly nonce: string;
  readonly username: string;
  readonly password: string;
  readonly admin: boolean;
  readonly userType: string | undefined;
  readonly mac: string;
}

/** Nonces that were given out and not used. They live in memory: a restart makes them void. */
export class NonceBook {
  readonly #clock: Clock;
  readonly #expiryTs = new LRUCache<string, number>(entries(1000));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(): string {
    const nonce = randomOpaqueId(32);
    this.#expiryTs.set(nonce, this.#clock.now() + NONCE_LIFETIME_MS);
    return nonce;
  }

  /** Whether the nonce was good; it is not any more. */
  redeem(nonce: string): boolean {
    const expiryTs = this.#expiryTs.get(nonce);
    this.#expiryTs.delete(nonce);
    return expiryTs !== undefined && this.#clock.now() < expiryTs;
  }
}

/** Throws M_FORBIDDEN. */
export function checkMac(secret: string, request: SharedSecretRequest): void {
  const { nonce, username, password, admin, userType, mac } = request;
  const parts = [nonce, username, password, admin ? 'admin' : 'notadmin'];
  if (userType !== undefined) parts.push(userType);
  const wanted = createHmac('sha1', secret).update(parts.join('\0')).digest();
  const given = Buffer.from(mac, 'hex');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new MatrixError('M_FORBIDDEN', 'HMAC incorrect');
  }
}
