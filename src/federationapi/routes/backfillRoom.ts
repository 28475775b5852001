// GET /_matrix/federation/v1/backfill/{roomId}: events, and what came before them.

import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { integer, repeated } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import { asTransaction } from '../as-transaction.ts';
import type { FederationapiContext } from '../context.ts';

/** Servers name the ends of what they have, of which there are some dozens at most. */
const MAX_STARTS = 100;

export function backfillRoom(context: FederationapiContext): Route {
  return route({
    operationId: 'backfillRoom',
    method: 'GET',
    paths: ['/_matrix/federation/v1/backfill/:roomId'],
    auth: 'server',
    params: { roomId: roomId() },
    query: { v: repeated(eventId()), limit: integer({ minimum: 1 }) },
    handler: async ({ requester: { origin }, params: { roomId }, query: { v: from, limit } }) => {
      if (from.length === 0)
        throw new MatrixError('M_MISSING_PARAM', "The parameter 'v' is missing");
      if (from.length > MAX_STARTS) {
        throw new MatrixError('M_INVALID_PARAM', `At most ${MAX_STARTS} events may be given`);
      }
      const request = { origin, roomId, from, limit };
      const { events } = await context.roomserver.queryBackfillFor(request);
      return asTransaction(context, events);
    },
  });
}
