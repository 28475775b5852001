// GET /_matrix/media/v3/thumbnail/{serverName}/{mediaId}: deprecated and, by default, frozen.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { checkNotFrozen, remoteQuery, thumbnail, thumbnailQuery } from '../media-download.ts';

export function getContentThumbnail(context: ClientapiContext): Route {
  return route({
    operationId: 'getContentThumbnail',
    method: 'GET',
    paths: ['/_matrix/media/{r0,v1,v3}/thumbnail/:serverName/:mediaId'],
    auth: 'none',
    rateLimit: 'media',
    errorStatus: { M_UNKNOWN: 400 },
    params: { serverName: serverName(), mediaId: mediaId() },
    query: { ...thumbnailQuery, ...remoteQuery },
    handler: async ({ params, query }) => {
      checkNotFrozen(context);
      return await thumbnail(context, params, query);
    },
  });
}
