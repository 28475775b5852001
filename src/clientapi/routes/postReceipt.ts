// POST /rooms/{roomId}/receipt/{receiptType}/{eventId}.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { oneOf } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { checkIsJoined } from '../membership.ts';
import { checkedThreadId, markRead } from '../receipts.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function postReceipt(context: ClientapiContext): Route {
  return route({
    operationId: 'postReceipt',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/receipt/:receiptType/:eventId'],
    auth: 'user',
    rateLimit: 'message',
    params: {
      roomId: roomId(),
      receiptType: oneOf('m.read', 'm.read.private', 'm.fully_read'),
      eventId: eventId(),
    },
    body: Type.Object({ thread_id: Type.Optional(Type.String()) }),
    bodyOptional: true,
    handler: async ({ requester: { userId }, params, body }) => {
      const { roomId, receiptType: type, eventId } = params;
      const threadId = checkedThreadId(body.thread_id);
      await checkIsJoined(context, roomId, userId);
      if (type !== 'm.fully_read') {
        const receipt = withoutUndefined({ type, eventId, threadId });
        await markRead(context, { roomId, userId }, { receipts: [receipt] });
      } else if (threadId === undefined) {
        await markRead(context, { roomId, userId }, { fullyRead: eventId });
      } else {
        throw new MatrixError('M_INVALID_PARAM', 'The fully-read marker knows no threads');
      }
      return {};
    },
  });
}
