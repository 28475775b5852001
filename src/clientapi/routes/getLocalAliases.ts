// GET /rooms/{roomId}/aliases.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { Viewer } from '../../syncserver/api.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getLocalAliases(context: ClientapiContext): Route {
  return route({
    operationId: 'getLocalAliases',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3,unstable/org.matrix.msc2432}/rooms/:roomId/aliases'],
    auth: 'user',
    params: { roomId: roomId() },
    handler: async ({ requester, params: { roomId } }) => {
      await checkMaySeeAliases(context, viewerOf(requester), roomId);
      return await context.roomserver.queryAliases({ roomId });
    },
  });
}

/** Throws M_FORBIDDEN unless the viewer is in the room or everybody may see into it. */
async function checkMaySeeAliases(
  { roomserver, syncserver }: ClientapiContext,
  viewer: Viewer,
  roomId: RoomId,
): Promise<void> {
  if ((await syncserver.queryAccess({ viewer, roomId })) === 'joined') return;
  const room = await roomserver.queryRoom({ roomId });
  if (!isWorldReadable(room?.visibility)) {
    throw new MatrixError('M_FORBIDDEN', 'You are not in this room');
  }
}
