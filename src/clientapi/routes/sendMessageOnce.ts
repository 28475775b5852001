// POST /rooms/{roomId}/send/{eventType}: sending without a transaction id, as clients did before r0.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { sendEvent } from '../send-event.ts';

export function sendMessageOnce(context: ClientapiContext): Route {
  return route({
    operationId: 'sendMessageOnce',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/send/:eventType'],
    auth: 'guest',
    rateLimit: 'message',
    params: { roomId: roomId(), eventType: shortText() },
    body: jsonObject,
    handler: async ({ requester, params: { roomId, eventType }, body }) =>
      await sendEvent(context, requester, { roomId, type: eventType, content: body }),
  });
}
