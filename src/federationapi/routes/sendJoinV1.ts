// PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}: the old form of joining, which the specification has given up and
// servers still fall back to.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { jsonStream } from '../json-stream.ts';

export function sendJoinV1({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'sendJoinV1',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/send_join/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: jsonObject,
    handler: async ({ requester: { origin }, params, body: event }) => {
      const joined = await roomserver.performAcceptMembership({
        ...params,
        origin,
        membership: 'join',
        event,
      });
      const { state, authChain } = joined;
      return jsonStream([200, { event: joined.event, state, auth_chain: authChain }]);
    },
  });
}
