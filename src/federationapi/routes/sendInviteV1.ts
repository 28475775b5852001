// PUT /_matrix/federation/v1/invite/{roomId}/{eventId}: the old form of inviting, for room versions 1 and 2.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { FederationapiContext } from '../context.ts';
import { checkInvitee } from '../invitee.ts';

/** Which of the two it is nobody says; their events have one format. */
const ROOM_VERSION = '1';
const MAX_STATE_EVENTS = 100;

export function sendInviteV1(context: FederationapiContext): Route {
  return route({
    operationId: 'sendInviteV1',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/invite/:roomId/:eventId'],
    auth: 'server',
    rateLimit: 'federationHandshake',
    params: { roomId: roomId(), eventId: shortText() },
    body: jsonObject,
    handler: async ({ requester: { origin }, params, body }) => {
      await checkInvitee(context, body);
      const { event } = await context.roomserver.performAcceptInvite({
        ...params,
        origin,
        roomVersion: ROOM_VERSION,
        event: body,
        strippedState: strippedStateOf(body),
      });
      return [200, { event }];
    },
  });
}

function strippedStateOf({ unsigned }: JsonObject): readonly JsonObject[] {
  const state = isJsonObject(unsigned) ? unsigned.invite_room_state : undefined;
  if (!Array.isArray(state)) return [];
  return (state as readonly JsonValue[]).filter(isJsonObject).slice(0, MAX_STATE_EVENTS);
}
