// GET /keys/changes.

import { text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getKeysChanges({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getKeysChanges',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3,unstable}/keys/changes'],
    auth: 'guest',
    query: { from: text(), to: text() },
    handler: async ({ requester, query }) =>
      await syncserver.deviceListChanges({ viewer: viewerOf(requester), ...query }),
  });
}
