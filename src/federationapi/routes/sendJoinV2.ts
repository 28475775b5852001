// PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}: a user of another server joins. Members are not omitted, as
// servers may ask for and we may decline.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { jsonStream } from '../json-stream.ts';

export function sendJoinV2({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'sendJoinV2',
    method: 'PUT',
    paths: ['/_matrix/federation/v2/send_join/:roomId/:eventId'],
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
      return jsonStream({
        event: joined.event,
        members_omitted: false,
        state: joined.state,
        auth_chain: joined.authChain,
      });
    },
  });
}
