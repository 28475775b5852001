// GET /_matrix/federation/v1/event_auth/{roomId}/{eventId}: the auth chain of an event.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { jsonStream } from '../json-stream.ts';

export function getEventAuth({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'getEventAuth',
    method: 'GET',
    paths: ['/_matrix/federation/v1/event_auth/:roomId/:eventId'],
    auth: 'server',
    params: { roomId: roomId(), eventId: eventId() },
    handler: async ({ requester: { origin }, params }) => {
      const { authChain } = await roomserver.queryEventAuthFor({ origin, ...params });
      return jsonStream({ auth_chain: authChain });
    },
  });
}
