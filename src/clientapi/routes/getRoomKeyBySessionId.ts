// GET /room_keys/keys/{roomId}/{sessionId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { keyBody, versionQuery } from '../key-backup.ts';

export function getRoomKeyBySessionId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeyBySessionId',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId/:sessionId'],
    auth: 'user',
    params: { roomId: shortText(), sessionId: shortText() },
    query: versionQuery,
    handler: async ({ requester: { userId }, params, query: { version } }) => {
      const found = await userserver.queryRoomKeys({ userId, version, ...params });
      // Nothing else was asked for; by name, what every object has would be found as well.
      const [sessions = {}] = Object.values(found);
      const [key] = Object.values(sessions);
      if (key === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such key');
      return keyBody(key);
    },
  });
}
