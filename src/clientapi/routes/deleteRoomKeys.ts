// DELETE /room_keys/keys.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { versionQuery } from '../key-backup.ts';

export function deleteRoomKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'deleteRoomKeys',
    method: 'DELETE',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys'],
    auth: 'user',
    query: versionQuery,
    handler: async ({ requester: { userId }, query: { version } }) =>
      await userserver.performDeleteRoomKeys({ userId, version }),
  });
}
