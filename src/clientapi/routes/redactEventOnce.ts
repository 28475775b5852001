// POST /rooms/{roomId}/redact/{eventId}: redacting without a transaction id, as clients did before r0.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { reasonBody, reasonContent } from '../membership-change.ts';
import { sendEvent } from '../send-event.ts';

export function redactEventOnce(context: ClientapiContext): Route {
  return route({
    operationId: 'redactEventOnce',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/redact/:eventId'],
    auth: 'user',
    rateLimit: 'message',
    params: { roomId: roomId(), eventId: eventId() },
    body: reasonBody,
    bodyOptional: true,
    handler: async ({ requester, params: { roomId, eventId }, body }) =>
      await sendEvent(context, requester, {
        roomId,
        type: 'm.room.redaction',
        content: reasonContent(body.reason),
        redacts: eventId,
      }),
  });
}
