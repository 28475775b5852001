// POST /_matrix/federation/v1/user/keys/query: keys of devices of our users.

import { type Route, route } from '../../http/route.ts';
import { parseWantedKeys, wantedKeys } from '../../http/wanted-keys.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';

export function queryUserEncryptionKeys({ userserver }: FederationapiContext): Route {
  return route({
    operationId: 'queryUserEncryptionKeys',
    method: 'POST',
    paths: ['/_matrix/federation/v1/user/keys/query'],
    auth: 'server',
    rateLimit: 'federation',
    body: Type.Object({ device_keys: wantedKeys }),
    handler: async ({ body }) =>
      await userserver.queryKeysForServer({ wanted: parseWantedKeys(body.device_keys) }),
  });
}
