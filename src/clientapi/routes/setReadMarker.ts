// POST /rooms/{roomId}/read_markers.

import type { Static } from 'typebox';
import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseEventId } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';
import { checkIsJoined } from '../membership.ts';
import { markRead, type ReceiptToSend } from '../receipts.ts';
import { withoutUndefined } from '../without-undefined.ts';

const body = Type.Object({
  'm.fully_read': Type.Optional(identifierText('event-id')),
  'm.read': Type.Optional(identifierText('event-id')),
  'm.read.private': Type.Optional(identifierText('event-id')),
});

export function setReadMarker(context: ClientapiContext): Route {
  return route({
    operationId: 'setReadMarker',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/read_markers'],
    auth: 'user',
    rateLimit: 'message',
    params: { roomId: roomId() },
    body,
    bodyOptional: true,
    handler: async ({ requester: { userId }, params: { roomId }, body: request }) => {
      const receipts = receiptsOf(request);
      const marker = request['m.fully_read'];
      const fullyRead = marker === undefined ? undefined : parseEventId(marker);
      await checkIsJoined(context, roomId, userId);
      const marks = withoutUndefined({ receipts, fullyRead });
      await markRead(context, { roomId, userId }, marks);
      return {};
    },
  });
}

/** Throws M_INVALID_PARAM. */
function receiptsOf(request: Static<typeof body>): readonly ReceiptToSend[] {
  return (['m.read', 'm.read.private'] as const).flatMap((type) => {
    const eventId = request[type];
    return eventId === undefined ? [] : [{ type, eventId: parseEventId(eventId) }];
  });
}
