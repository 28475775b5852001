// GET /_matrix/client/v1/media/config.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getConfigAuthed({ mediaserver }: ClientapiContext): Route {
  return route({
    operationId: 'getConfigAuthed',
    method: 'GET',
    paths: ['/_matrix/client/v1/media/config'],
    auth: 'user',
    handler: async () => await mediaserver.queryMediaConfig(),
  });
}
