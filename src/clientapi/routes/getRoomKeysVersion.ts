// GET /room_keys/version/{version}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { backupBody } from '../key-backup.ts';

export function getRoomKeysVersion({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeysVersion',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/version/:version'],
    auth: 'user',
    params: { version: shortText() },
    handler: async ({ requester: { userId }, params: { version } }) =>
      backupBody(await userserver.queryKeyBackup({ userId, version })),
  });
}
