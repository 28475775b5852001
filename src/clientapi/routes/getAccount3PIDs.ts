// GET /account/3pid: no third-party identifiers are kept.

import { type Route, route } from '../../http/route.ts';

export function getAccount3PIDs(): Route {
  return route({
    operationId: 'getAccount3PIDs',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/account/3pid'],
    auth: 'user',
    handler: async () => ({ threepids: [] }),
  });
}
