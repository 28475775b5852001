// POST /_matrix/key/v2/query: the keys of several servers, vouched for by us.

import type { Static } from 'typebox';
import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import { parseServerName } from '../../protocol/identifiers.ts';
import type { FederationapiContext } from '../context.ts';
import { type KeyQuery, vouchedKeys } from '../notary.ts';

const MAX_SERVERS = 100;
/** Each may have to be asked over the network. */
const ASKED_AT_ONCE = 20;

const criteria = Type.Record(
  Type.String(),
  Type.Object({ minimum_valid_until_ts: Type.Optional(Type.Integer({ minimum: 0 })) }),
);

export function bulkPerspectivesKeyQuery(context: FederationapiContext): Route {
  const limit = new ConcurrencyLimit({ running: ASKED_AT_ONCE, waiting: 10 * MAX_SERVERS });
  return route({
    operationId: 'bulkPerspectivesKeyQuery',
    method: 'POST',
    paths: ['/_matrix/key/v2/query'],
    auth: 'none',
    rateLimit: 'lookup',
    body: Type.Object({ server_keys: Type.Record(Type.String(), criteria) }),
    handler: async ({ body: { server_keys: wanted } }) => {
      const queries = Object.entries(wanted).map(([server, keys]) => queryOf(server, keys));
      if (queries.length > MAX_SERVERS) {
        throw new MatrixError(
          'M_TOO_LARGE',
          `At most ${MAX_SERVERS} servers are asked for at a time`,
        );
      }
      const found = await Promise.all(
        queries.map((query) => limit.run(() => vouchedKeys(context, query))),
      );
      return { server_keys: found.flat() };
    },
  });
}

/** Throws M_INVALID_PARAM. */
function queryOf(server: string, keys: Static<typeof criteria>): KeyQuery {
  const times = Object.values(keys).flatMap((one) => one.minimum_valid_until_ts ?? []);
  return {
    server: parseServerName(server),
    keyIds: Object.keys(keys),
    ...(times.length > 0 && { minimumValidUntil: Math.max(...times) }),
  };
}
