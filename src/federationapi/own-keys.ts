// The keys that this server signs with, and those that it has signed with.

import type { JsonObject } from '../protocol/json.ts';
import { signJson } from '../protocol/signing.ts';
import type { FederationapiContext } from './context.ts';

/** ms: others may keep the keys for so long. */
const VALIDITY = 24 * 3_600_000;

export function ownKeys({
  serverName,
  signingKey,
  clock,
  config,
}: Pick<FederationapiContext, 'serverName' | 'signingKey' | 'clock' | 'config'>): JsonObject {
  const keys = {
    server_name: serverName,
    verify_keys: { [signingKey.keyId]: { key: signingKey.publicKey } },
    old_verify_keys: Object.fromEntries(
      config.oldVerifyKeys.map(({ keyId, publicKey, expiredTs }) => [
        keyId,
        { key: publicKey, expired_ts: expiredTs },
      ]),
    ),
    valid_until_ts: clock.now() + VALIDITY,
  };
  return signJson(keys, serverName, signingKey);
}
