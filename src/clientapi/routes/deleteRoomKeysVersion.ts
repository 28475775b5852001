// DELETE /room_keys/version/{version}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function deleteRoomKeysVersion({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'deleteRoomKeysVersion',
    method: 'DELETE',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/version/:version'],
    auth: 'user',
    params: { version: shortText() },
    handler: async ({ requester: { userId }, params: { version } }) => {
      await userserver.performDeleteKeyBackup({ userId, version });
      return {};
    },
  });
}
