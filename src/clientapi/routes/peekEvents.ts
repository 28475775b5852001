// GET /events: with `room_id` the live part of a preview (peekEvents), without it the old event stream
// (getEvents). The two share a path, and so a route.

import { roomId } from '../../http/identifier-parameters.ts';
import { optional, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { limit } from '../limit-parameter.ts';
import { type BriefLook, hintsOf, lookBriefly, SERVER_HINTS } from '../room-peek.ts';
import { notePresence } from '../sync-presence.ts';
import { longPoll } from '../timeout-parameter.ts';
import { viewerOf } from '../viewer.ts';
import { withoutUndefined } from '../without-undefined.ts';

export function peekEvents(context: ClientapiContext): Route {
  return route({
    operationId: 'peekEvents',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/events'],
    auth: 'guest',
    query: {
      from: optional(text()),
      timeout: longPoll(),
      limit: limit({ whenAbsent: 100, maximum: 1000 }),
      room_id: optional(roomId()),
      ...SERVER_HINTS,
    },
    handler: async ({ requester, query, signal }) => {
      const viewer = viewerOf(requester);
      const { from, room_id: roomId } = query;
      if (roomId === undefined && viewer.isGuest) throw guestNeedsRoom();
      // "The default state when the user is connected to an event stream."
      if (roomId === undefined) await notePresence(context, viewer.userId, 'online');
      const serverNames = hintsOf(query);
      const mayFollow =
        roomId === undefined || (await mayLook(context, { viewer, roomId, serverNames }));
      return await context.syncserver.events({
        ...withoutUndefined({ from: from || undefined, roomId }),
        viewer,
        limit: query.limit,
        timeoutMs: mayFollow ? query.timeout : 0,
        signal,
      });
    },
  });
}

/** A room that is open no more still tells what ended that, once; then the syncserver refuses. */
async function mayLook(context: ClientapiContext, look: BriefLook): Promise<boolean> {
  try {
    await lookBriefly(context, look);
    return true;
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return false;
    throw error;
  }
}

function guestNeedsRoom(): MatrixError {
  return new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may listen to one room at a time');
}
