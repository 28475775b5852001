// POST /_matrix/federation/v1/user/keys/claim: one-time keys of devices of our users.

import { type Route, route } from '../../http/route.ts';
import { parseWantedOneTimeKeys, wantedOneTimeKeys } from '../../http/wanted-keys.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';

export function claimUserEncryptionKeys({ userserver }: FederationapiContext): Route {
  return route({
    operationId: 'claimUserEncryptionKeys',
    method: 'POST',
    paths: ['/_matrix/federation/v1/user/keys/claim'],
    auth: 'server',
    rateLimit: 'federation',
    body: Type.Object({ one_time_keys: wantedOneTimeKeys }),
    handler: async ({ body }) => {
      const wanted = parseWantedOneTimeKeys(body.one_time_keys);
      return await userserver.performClaimKeysForServer({ wanted });
    },
  });
}
