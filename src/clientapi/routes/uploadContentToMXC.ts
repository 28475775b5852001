// PUT /_matrix/media/v3/upload/{serverName}/{mediaId}.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { describedFile, fileName } from '../media-upload.ts';

export function uploadContentToMXC({ mediaserver, config }: ClientapiContext): Route {
  return route({
    operationId: 'uploadContentToMXC',
    method: 'PUT',
    paths: ['/_matrix/media/{r0,v3}/upload/:serverName/:mediaId'],
    auth: 'user',
    rateLimit: 'media',
    params: { serverName: serverName(), mediaId: mediaId() },
    query: { filename: fileName() },
    rawBody: true,
    maxBodyBytes: config.maxUploadBytes,
    handler: async ({ requester: { userId }, params, query, contentType, stream }) => {
      await mediaserver.performUploadReserved({
        ...describedFile(contentType, query.filename),
        ...params,
        userId,
        body: stream,
      });
      return {};
    },
  });
}
