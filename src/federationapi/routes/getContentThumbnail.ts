// GET /_matrix/federation/v1/media/thumbnail/{mediaId}: a thumbnail of media of ours.

import { mediaId } from '../../http/identifier-parameters.ts';
import { boolean, integer, oneOf, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { waitOf, waitQuery } from '../media-wait.ts';
import { mixedReply } from '../mixed-reply.ts';

/** Nothing beyond it is made, whatever is asked for. */
const LARGEST_SIDE = 10_000;
const side = integer({ minimum: 1, maximum: LARGEST_SIDE });

export function getContentThumbnail({ mediaserver, serverName }: FederationapiContext): Route {
  return route({
    operationId: 'getContentThumbnail',
    method: 'GET',
    paths: ['/_matrix/federation/v1/media/thumbnail/:mediaId'],
    auth: 'server',
    rateLimit: 'federation',
    errorStatus: { M_UNKNOWN: 400 },
    params: { mediaId: mediaId() },
    query: {
      ...waitQuery,
      width: side,
      height: side,
      method: withDefault(oneOf('crop', 'scale'), 'scale'),
      animated: withDefault(boolean(), false),
    },
    handler: async ({ params: { mediaId }, query }) => {
      const { width, height, method, animated } = query;
      const media = { serverName, mediaId, timeoutMs: waitOf(query), allowRemote: false };
      return mixedReply(
        await mediaserver.queryThumbnail({ ...media, width, height, method, animated }),
      );
    },
  });
}
