// GET /_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { thumbnail, thumbnailQuery } from '../media-download.ts';

export function getContentThumbnailAuthed(context: ClientapiContext): Route {
  return route({
    operationId: 'getContentThumbnailAuthed',
    method: 'GET',
    paths: ['/_matrix/client/v1/media/thumbnail/:serverName/:mediaId'],
    // No limit of its own: a client shows the avatars of a whole room at once.
    auth: 'guest',
    errorStatus: { M_UNKNOWN: 400 },
    params: { serverName: serverName(), mediaId: mediaId() },
    query: thumbnailQuery,
    handler: async ({ params, query }) => await thumbnail(context, params, query),
  });
}
