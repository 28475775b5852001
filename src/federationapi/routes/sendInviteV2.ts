// PUT /_matrix/federation/v2/invite/{roomId}/{eventId}: one of our users is invited.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { checkInvitee } from '../invitee.ts';

/** Servers show some dozens of events at most. */
const MAX_STATE_EVENTS = 100;

export function sendInviteV2(context: FederationapiContext): Route {
  return route({
    operationId: 'sendInviteV2',
    method: 'PUT',
    paths: ['/_matrix/federation/v2/invite/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: Type.Object({
      room_version: Type.String(),
      event: jsonObject,
      invite_room_state: Type.Optional(Type.Array(jsonObject, { maxItems: MAX_STATE_EVENTS })),
    }),
    handler: async ({ requester: { origin }, params, body }) => {
      await checkInvitee(context, body.event);
      const { event } = await context.roomserver.performAcceptInvite({
        ...params,
        origin,
        roomVersion: body.room_version,
        event: body.event,
        strippedState: body.invite_room_state ?? [],
      });
      return { event };
    },
  });
}
