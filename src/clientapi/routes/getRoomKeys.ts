// GET /room_keys/keys.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { versionQuery } from '../key-backup.ts';
import { roomsStream } from '../room-keys-stream.ts';

export function getRoomKeys({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomKeys',
    method: 'GET',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/keys'],
    auth: 'user',
    query: versionQuery,
    handler: async ({ requester: { userId }, query: { version } }) =>
      await roomsStream(userserver, { userId, version }),
  });
}
