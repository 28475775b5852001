// PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId}: a user of another server knocks.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function sendKnock({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'sendKnock',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/send_knock/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: jsonObject,
    handler: async ({ requester: { origin }, params, body: event }) => {
      const knocked = await roomserver.performAcceptMembership({
        ...params,
        origin,
        membership: 'knock',
        event,
      });
      return { knock_room_state: knocked.strippedState };
    },
  });
}
