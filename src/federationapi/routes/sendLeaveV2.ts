// PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}: a user of another server leaves.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function sendLeaveV2({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'sendLeaveV2',
    method: 'PUT',
    paths: ['/_matrix/federation/v2/send_leave/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: jsonObject,
    handler: async ({ requester: { origin }, params, body: event }) => {
      await roomserver.performAcceptMembership({ ...params, origin, membership: 'leave', event });
      return {};
    },
  });
}
