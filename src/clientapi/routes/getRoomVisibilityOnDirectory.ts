// GET /directory/list/room/{roomId}.

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';

export function getRoomVisibilityOnDirectory({ roomserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomVisibilityOnDirectory',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/directory/list/room/:roomId'],
    auth: 'none',
    rateLimit: 'lookup',
    params: { roomId: roomId() },
    handler: async ({ params: { roomId } }) => {
      const room = await roomserver.queryRoom({ roomId });
      if (room === undefined) throw new MatrixError('M_NOT_FOUND', 'No such room');
      const { published } = await roomserver.queryPublished({ roomId });
      return { visibility: published ? 'public' : 'private' };
    },
  });
}
