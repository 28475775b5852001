// POST /_matrix/media/v1/create.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function createContent({ mediaserver }: ClientapiContext): Route {
  return route({
    operationId: 'createContent',
    method: 'POST',
    paths: ['/_matrix/media/v1/create'],
    auth: 'user',
    rateLimit: 'media',
    handler: async ({ requester: { userId } }) => {
      const reserved = await mediaserver.performReserve({ userId });
      return { content_uri: reserved.contentUri, unused_expires_at: reserved.unusedExpiresTs };
    },
  });
}
