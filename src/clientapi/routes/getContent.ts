// GET /_matrix/media/v3/download/{serverName}/{mediaId}: deprecated and, by default, frozen.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkNotFrozen, download, downloadQuery, remoteQuery } from '../media-download.ts';

export function getContent(context: ClientapiContext): Route {
  return route({
    operationId: 'getContent',
    method: 'GET',
    paths: ['/_matrix/media/{r0,v1,v3}/download/:serverName/:mediaId'],
    auth: 'none',
    rateLimit: 'media',
    params: { serverName: serverName(), mediaId: mediaId() },
    query: { ...downloadQuery, ...remoteQuery },
    handler: async ({ params, query }) => {
      checkNotFrozen(context);
      return await download(context, params, query);
    },
  });
}
