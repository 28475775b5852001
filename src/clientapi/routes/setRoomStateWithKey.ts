// PUT /rooms/{roomId}/state/{eventType}/{stateKey}.

import { roomId, shortText, stateKey } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { sendEvent } from '../send-event.ts';

export function setRoomStateWithKey(context: ClientapiContext): Route {
  return route({
    operationId: 'setRoomStateWithKey',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/state/:eventType{,/,/:stateKey}'],
    auth: 'guest',
    rateLimit: 'message',
    params: { roomId: roomId(), eventType: shortText(), stateKey: stateKey() },
    body: jsonObject,
    handler: async ({ requester, params: { roomId, eventType, stateKey }, body }) =>
      await sendEvent(context, requester, { roomId, type: eventType, stateKey, content: body }),
  });
}
