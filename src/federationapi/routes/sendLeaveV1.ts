// PUT /_matrix/federation/v1/send_leave/{roomId}/{eventId}: the old form of leaving.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function sendLeaveV1({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'sendLeaveV1',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/send_leave/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: jsonObject,
    handler: async ({ requester: { origin }, params, body: event }) => {
      await roomserver.performAcceptMembership({ ...params, origin, membership: 'leave', event });
      return [200, {}];
    },
  });
}
