// GET /voip/turnServer: there is none, which clients understand by an empty object.

import { type Route, route } from '../../http/route.ts';

export function getTurnServer(): Route {
  return route({
    operationId: 'getTurnServer',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/voip/turnServer'],
    auth: 'guest',
    handler: async () => ({}),
  });
}
