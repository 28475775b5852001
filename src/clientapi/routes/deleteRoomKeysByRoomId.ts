// DELETE /room_keys/keys/{roomId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { versionQuery } from '../key-backup.ts';

export function deleteRoomKeysByRoomId({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'deleteRoomKeysByRoomId',
    method: 'DELETE',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys/:roomId'],
    auth: 'user',
    params: { roomId: shortText() },
    query: versionQuery,
    handler: async ({ requester: { userId }, params, query: { version } }) =>
      await userserver.performDeleteRoomKeys({ userId, version, ...params }),
  });
}
