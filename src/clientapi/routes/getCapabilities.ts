// GET /capabilities.

import { type Route, route } from '../../http/route.ts';
import { ROOM_VERSIONS, rulesOf } from '../../protocol/roomversions/table.ts';
import type { ClientapiContext } from '../context.ts';

const available = Object.fromEntries(ROOM_VERSIONS.map((id) => [id, rulesOf(id).stability]));

export function getCapabilities({ config }: ClientapiContext): Route {
  return route({
    operationId: 'getCapabilities',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/capabilities'],
    auth: 'guest',
    handler: async ({ requester: { isGuest } }) => ({
      capabilities: {
        'm.change_password': { enabled: !isGuest },
        'm.room_versions': { default: config.defaultRoomVersion, available },
        'm.profile_fields': isGuest
          ? { enabled: true, allowed: ['displayname'] }
          : { enabled: true },
        'm.set_displayname': { enabled: true },
        'm.set_avatar_url': { enabled: !isGuest },
        'm.3pid_changes': { enabled: false },
        'm.get_login_token': { enabled: !isGuest },
      },
    }),
  });
}
