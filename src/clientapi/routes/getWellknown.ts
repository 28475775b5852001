// GET /.well-known/matrix/client.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getWellknown({ config }: ClientapiContext): Route {
  return route({
    operationId: 'getWellknown',
    method: 'GET',
    paths: ['/.well-known/matrix/client'],
    auth: 'none',
    handler: async () => ({ 'm.homeserver': { base_url: config.publicBaseurl } }),
  });
}
