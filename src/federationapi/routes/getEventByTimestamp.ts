// GET /_matrix/federation/v1/timestamp_to_event/{roomId}.

import { roomId } from '../../http/identifier-parameters.ts';
import { integer, oneOf } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function getEventByTimestamp({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'getEventByTimestamp',
    method: 'GET',
    paths: ['/_matrix/federation/v1/timestamp_to_event/:roomId'],
    auth: 'server',
    params: { roomId: roomId() },
    query: { ts: integer(), dir: oneOf('f', 'b') },
    handler: async ({ requester: { origin }, params, query }) => {
      const found = await roomserver.queryTimestampToEventFor({ origin, ...params, ...query });
      return { event_id: found.eventId, origin_server_ts: found.originServerTs };
    },
  });
}
