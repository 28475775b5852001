// POST /rooms/{roomId}/unpeek (MSC2753).

import { roomId } from '../../http/identifier-parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';
import { roomsVisible } from '../visible.ts';

export function unpeekRoom(context: ClientapiContext): Route {
  const { roomserver, syncserver } = context;
  return route({
    operationId: 'unpeekRoom',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v1,v3,unstable/org.matrix.msc2753}/rooms/:roomId/unpeek'],
    auth: 'guest',
    rateLimit: 'peek',
    params: { roomId: roomId() },
    body: jsonObject,
    bodyOptional: true,
    handler: async ({ requester, params: { roomId } }) => {
      const { userId, deviceId } = viewerOf(requester);
      const peek = { userId, deviceId, roomId, via: 'sync' } as const;
      const { active } = await syncserver.queryPeek(peek);
      if (!active) throw notPeeking();
      await roomsVisible(context, await roomserver.performUnpeek(peek).catch(asNotPeeking));
      return {};
    },
  });
}

/** A room that goes at this very moment takes the peek with it. */
function asNotPeeking(error: unknown): never {
  const isGone = error instanceof MatrixError && error.errcode === 'M_NOT_FOUND';
  throw isGone ? notPeeking() : error;
}

function notPeeking(): MatrixError {
  return new MatrixError('M_BAD_STATE', 'This device is not peeking into the room');
}
