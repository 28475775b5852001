// GET /_matrix/key/v2/server: the keys that this server signs with. Asking for one of them by its id is an
// old form, which is answered alike.

import { Type } from 'typebox';
import { parsed } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { signJson } from '../../protocol/signing.ts';
import type { FederationapiContext } from '../context.ts';

/** ms: others may keep the keys for so long. */
const VALIDITY = 24 * 3_600_000;

export function getServerKey(context: FederationapiContext): Route {
  const { serverName, signingKey, clock } = context;
  return route({
    operationId: 'getServerKey',
    method: 'GET',
    paths: ['/_matrix/key/v2/server{,/,/:keyId}'],
    auth: 'none',
    params: { keyId: { ...parsed((raw) => raw, Type.String()), whenAbsent: () => '' } },
    handler: async () => {
      const keys = {
        server_name: serverName,
        verify_keys: { [signingKey.keyId]: { key: signingKey.publicKey } },
        old_verify_keys: {},
        valid_until_ts: clock.now() + VALIDITY,
      };
      return signJson(keys, serverName, signingKey);
    },
  });
}
