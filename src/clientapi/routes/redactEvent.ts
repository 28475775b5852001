// PUT /rooms/{roomId}/redact/{eventId}/{txnId}.

import { eventId, roomId, shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { reasonBody, reasonContent } from '../membership-change.ts';
import { sendEvent } from '../send-event.ts';

export function redactEvent(context: ClientapiContext): Route {
  return route({
    operationId: 'redactEvent',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/redact/:eventId/:txnId'],
    auth: 'user',
    rateLimit: 'message',
    params: { roomId: roomId(), eventId: eventId(), txnId: shortText() },
    body: reasonBody,
    bodyOptional: true,
    handler: async ({ requester, params: { roomId, eventId, txnId }, body }) =>
      await sendEvent(context, requester, {
        roomId,
        type: 'm.room.redaction',
        content: reasonContent(body.reason),
        redacts: eventId,
        transaction: { scope: `redact/${roomId}/${eventId}`, id: txnId },
      }),
  });
}
