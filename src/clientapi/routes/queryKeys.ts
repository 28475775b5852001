// POST /keys/query.

import { Type } from 'typebox';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { keyTimeout, parseWantedKeys, timeoutMsOf, wantedKeys } from '../wanted-keys.ts';

export function queryKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'queryKeys',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/query'],
    auth: 'guest',
    body: Type.Object({ device_keys: wantedKeys, timeout: keyTimeout }),
    handler: async ({ requester, body }) =>
      await userserver.queryKeys({
        requester: requester.userId,
        wanted: parseWantedKeys(body.device_keys),
        timeoutMs: timeoutMsOf(body.timeout),
      }),
  });
}
