// What this server says of other servers' keys: the key objects as those servers signed them, signed by us, too.

import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { signJson } from '../protocol/signing.ts';
import type { FederationapiContext } from './context.ts';
import { ownKeys } from './own-keys.ts';

type Context = Pick<
  FederationapiContext,
  'keyRing' | 'serverName' | 'signingKey' | 'clock' | 'config'
>;

export interface KeyQuery {
  readonly server: ServerName;
  /** Empty: all of them. */
  readonly keyIds: readonly string[];
  /** ms since the epoch; absent: now. */
  readonly minimumValidUntil?: number;
}

export async function vouchedKeys(
  context: Context,
  { server, keyIds, minimumValidUntil = context.clock.now() }: KeyQuery,
): Promise<readonly JsonObject[]> {
  const { keyRing, serverName, signingKey } = context;
  if (server === serverName) return [ownKeys(context)];
  const objects = await keyRing.keyObjects({ server, keyIds, minimumValidUntil });
  return objects.map((object) => signJson(object, serverName, signingKey));
}
