// Seam to other servers' signing keys.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { SigningKey } from '../../protocol/signing-key.ts';

export interface KeyRequest {
  readonly server: ServerName;
  /** `ed25519:version` */
  readonly keyId: string;
  /** ms since the epoch at which the key has to have been valid; absent where the room version does not ask for it. */
  readonly validAt?: number;
}

export interface KeyRing {
  /** The public key, or undefined when it cannot be had or was not valid then. */
  key(request: KeyRequest): Promise<KeyObject | undefined>;
}

/** Knows the keys of one server: this one. */
export function ownKeyRing(own: {
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
}): KeyRing {
  const publicKey = createPublicKey(own.signingKey.privateKey);
  return {
    key: async ({ server, keyId }) =>
      server === own.serverName && keyId === own.signingKey.keyId ? publicKey : undefined,
  };
}

/** This server's own key is at hand, whatever becomes of the others'. */
export function withOwnKey(own: Parameters<typeof ownKeyRing>[0], others: KeyRing): KeyRing {
  const ring = ownKeyRing(own);
  return { key: async (request) => (await ring.key(request)) ?? others.key(request) };
}
