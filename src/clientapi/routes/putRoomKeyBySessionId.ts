// PUT /room_keys/keys/{roomId}/{sessionId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { keyBackupData, keyFrom, versionQuery } from '../key-backup.ts';

export function putRoomKeyBySessionId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'putRoomKeyBySessionId',
    method: 'PUT',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId/:sessionId'],
    auth: 'user',
    params: { roomId: shortText(), sessionId: shortText() },
    query: versionQuery,
    body: keyBackupData,
    handler: async ({
      requester: { userId },
      params: { roomId, sessionId },
      query: { version },
      body,
    }) => {
      const keys = { [roomId]: { [sessionId]: keyFrom(body) } };
      return await userserver.performPutRoomKeys({ userId, version, keys });
    },
  });
}
