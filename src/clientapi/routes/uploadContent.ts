// POST /_matrix/media/v3/upload.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { describedFile, fileName } from '../media-upload.ts';

export function uploadContent({ mediaserver, config }: ClientapiContext): Route {
  return route({
    operationId: 'uploadContent',
    method: 'POST',
    paths: ['/_matrix/media/{r0,v1,v3}/upload'],
    auth: 'user',
    rateLimit: 'media',
    query: { filename: fileName() },
    rawBody: true,
    maxBodyBytes: config.maxUploadBytes,
    handler: async ({ requester: { userId }, query: { filename }, contentType, stream }) => {
      const { contentUri } = await mediaserver.performUpload({
        ...describedFile(contentType, filename),
        userId,
        body: stream,
      });
      return { content_uri: contentUri };
    },
  });
}
