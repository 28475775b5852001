// POST /keys/query.

import { type Route, route } from '../../http/route.ts';
import { keyTimeout, parseWantedKeys, timeoutMsOf, wantedKeys } from '../../http/wanted-keys.ts';
import { Type } from '../../json-schema.ts';
import { serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';

export function queryKeys({ userserver, syncserver, serverName }: ClientapiContext): Route {
  return route({
    operationId: 'queryKeys',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/query'],
    auth: 'guest',
    body: Type.Object({ device_keys: wantedKeys, timeout: keyTimeout }),
    handler: async ({ requester, body }) => {
      const wanted = parseWantedKeys(body.device_keys);
      const users = Object.keys(wanted) as UserId[];
      const remote = users.filter((userId) => serverNameOf(userId) !== serverName);
      const { userIds: followed } = await syncserver.queryFollowed({ userIds: remote });
      const timeoutMs = timeoutMsOf(body.timeout);
      return await userserver.queryKeys({
        requester: requester.userId,
        wanted,
        followed,
        timeoutMs,
      });
    },
  });
}
