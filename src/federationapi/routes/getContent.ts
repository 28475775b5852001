// GET /_matrix/federation/v1/media/download/{mediaId}: media of ours.

import { mediaId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { waitOf, waitQuery } from '../media-wait.ts';
import { mixedReply } from '../mixed-reply.ts';

export function getContent({ mediaserver, serverName }: FederationapiContext): Route {
  return route({
    operationId: 'getContent',
    method: 'GET',
    paths: ['/_matrix/federation/v1/media/download/:mediaId'],
    auth: 'server',
    rateLimit: 'federation',
    params: { mediaId: mediaId() },
    query: waitQuery,
    handler: async ({ params: { mediaId }, query }) => {
      const media = { serverName, mediaId, timeoutMs: waitOf(query), allowRemote: false };
      return mixedReply(await mediaserver.queryMedia(media));
    },
  });
}
