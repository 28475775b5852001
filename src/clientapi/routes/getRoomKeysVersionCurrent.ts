// GET /room_keys/version.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { backupBody } from '../key-backup.ts';

export function getRoomKeysVersionCurrent({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeysVersionCurrent',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/version'],
    auth: 'user',
    handler: async ({ requester: { userId } }) =>
      backupBody(await userserver.queryKeyBackup({ userId })),
  });
}
