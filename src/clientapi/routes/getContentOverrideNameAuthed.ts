// GET /_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}.

import { mediaId, serverName } from '../../http/identifier-parameters.ts';
import { text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { download, downloadQuery } from '../media-download.ts';

export function getContentOverrideNameAuthed(context: ClientapiContext): Route {
  return route({
    operationId: 'getContentOverrideNameAuthed',
    method: 'GET',
    paths: ['/_matrix/client/v1/media/download/:serverName/:mediaId/:fileName'],
    auth: 'guest',
    params: { serverName: serverName(), mediaId: mediaId(), fileName: text() },
    query: downloadQuery,
    handler: async ({ params, query }) => await download(context, params, query),
  });
}
