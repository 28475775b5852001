// GET /_matrix/key/v2/query/{serverName}: the keys of another server, vouched for by us. Asking for one of them by its
// id is an old form.

import { serverName } from '../../http/identifier-parameters.ts';
import { integer, optional, parsed } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { vouchedKeys } from '../notary.ts';

export function perspectivesKeyQuery(context: FederationapiContext): Route {
  return route({
    operationId: 'perspectivesKeyQuery',
    method: 'GET',
    paths: ['/_matrix/key/v2/query/:serverName{,/,/:keyId}'],
    auth: 'none',
    rateLimit: 'lookup',
    params: {
      serverName: serverName(),
      keyId: { ...parsed((raw) => raw, Type.String()), whenAbsent: () => '' },
    },
    query: { minimum_valid_until_ts: optional(integer({ minimum: 0 })) },
    handler: async ({ params: { serverName: server, keyId }, query }) => {
      const { minimum_valid_until_ts: minimumValidUntil } = query;
      const keys = await vouchedKeys(context, {
        server,
        keyIds: keyId === '' ? [] : [keyId],
        ...(minimumValidUntil !== undefined && { minimumValidUntil }),
      });
      return { server_keys: keys };
    },
  });
}
