// GET /events: with `room_id` the live part of a preview (peekEvents), without it the old event stream
// (getEvents). The two share a path, and so a route.

import { optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { roomId } from '../identifier-parameters.ts';
import { lookBriefly } from '../room-peek.ts';
import { longPoll } from '../timeout-parameter.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function peekEvents(context: ClientapiContext): Route {
  return route({
    operationId: 'peekEvents',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/events'],
    auth: 'guest',
    query: { from: optional(text()), timeout: longPoll(), room_id: optional(roomId()) },
    handler: async ({ requester, query, signal }) => {
      const viewer = viewerOf(requester);
      const { from, room_id: roomId } = query;
      if (roomId !== undefined) await lookBriefly(context, viewer, roomId);
      else if (viewer.isGuest) throw guestNeedsRoom();
      const { timeout: timeoutMs } = query;
      return await context.syncserver.events({
        ...withoutUndefined({ from: from || undefined, roomId }),
        viewer,
        timeoutMs,
        signal,
      });
    },
  });
}

function guestNeedsRoom(): MatrixError {
  return new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may listen to one room at a time');
}
