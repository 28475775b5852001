// GET /_matrix/client/v1/media/download/{serverName}/{mediaId}.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { download, downloadQuery } from '../media-download.ts';

export function getContentAuthed(context: ClientapiContext): Route {
  return route({
    operationId: 'getContentAuthed',
    method: 'GET',
    paths: ['/_matrix/client/v1/media/download/:serverName/:mediaId'],
    auth: 'guest',
    params: { serverName: serverName(), mediaId: mediaId() },
    query: downloadQuery,
    handler: async ({ params, query }) => await download(context, params, query),
  });
}
