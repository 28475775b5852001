// PUT /rooms/{roomId}/send/{eventType}/{txnId}.

import { roomId, shortText } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { sendEvent } from '../send-event.ts';

export function sendMessage(context: ClientapiContext): Route {
  return route({
    operationId: 'sendMessage',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/send/:eventType/:txnId'],
    auth: 'guest',
    rateLimit: 'message',
    params: { roomId: roomId(), eventType: shortText(), txnId: shortText() },
    body: jsonObject,
    handler: async ({ requester, params: { roomId, eventType, txnId }, body }) =>
      await sendEvent(context, requester, {
        roomId,
        type: eventType,
        content: body,
        transaction: { scope: `send/${roomId}/${eventType}`, id: txnId },
      }),
  });
}
