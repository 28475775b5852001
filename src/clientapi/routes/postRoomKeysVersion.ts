// POST /room_keys/version.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { backupInfo } from '../key-backup.ts';

export function postRoomKeysVersion({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'postRoomKeysVersion',
    method: 'POST',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/version'],
    auth: 'user',
    rateLimit: 'message',
    body: Type.Object(backupInfo),
    handler: async ({ requester: { userId }, body: { algorithm, auth_data: authData } }) =>
      await userserver.performCreateKeyBackup({ userId, algorithm, authData }),
  });
}
