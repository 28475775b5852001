// GET /_matrix/media/v3/config.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getConfig({ mediaserver }: ClientapiContext): Route {
  return route({
    operationId: 'getConfig',
    method: 'GET',
    paths: ['/_matrix/media/{r0,v1,v3}/config'],
    auth: 'user',
    handler: async () => await mediaserver.queryMediaConfig(),
  });
}
