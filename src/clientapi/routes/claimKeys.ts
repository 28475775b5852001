// POST /keys/claim.

import { type Route, route } from '../../http/route.ts';
import {
  keyTimeout,
  parseWantedOneTimeKeys,
  timeoutMsOf,
  wantedOneTimeKeys,
} from '../../http/wanted-keys.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';

export function claimKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'claimKeys',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/claim'],
    auth: 'guest',
    rateLimit: 'message',
    body: Type.Object({ one_time_keys: wantedOneTimeKeys, timeout: keyTimeout }),
    handler: async ({ body }) =>
      await userserver.performClaimKeys({
        wanted: parseWantedOneTimeKeys(body.one_time_keys),
        timeoutMs: timeoutMsOf(body.timeout),
      }),
  });
}
