// The signing keys against which events are checked.

import { createPublicKey } from 'node:crypto';
import type * as federation from '../../federation/api.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { SigningKey } from '../../protocol/signing-key.ts';

export type KeyRing = Pick<federation.KeyRing, 'key'>;

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

/** Who gave us what is to be verified is asked as notary where keys cannot be had: it has had to verify it itself. */
export function withNotary(ring: KeyRing, notary: ServerName | undefined): KeyRing {
  if (notary === undefined) return ring;
  return { key: (request) => ring.key({ ...request, notaries: [notary] }) };
}

/** This server's own key is at hand, whatever becomes of the others'. */
export function withOwnKey(own: Parameters<typeof ownKeyRing>[0], others: KeyRing): KeyRing {
  const ring = ownKeyRing(own);
  return { key: async (request) => (await ring.key(request)) ?? others.key(request) };
}
