// GET /_matrix/key/v2/server: the keys that this server signs with. Asking for one of them by its id is an
// old form, which is answered alike.

import { parsed } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { ownKeys } from '../own-keys.ts';

export function getServerKey(context: FederationapiContext): Route {
  return route({
    operationId: 'getServerKey',
    method: 'GET',
    paths: ['/_matrix/key/v2/server{,/,/:keyId}'],
    auth: 'none',
    params: { keyId: { ...parsed((raw) => raw, Type.String()), whenAbsent: () => '' } },
    handler: async () => ownKeys(context),
  });
}
