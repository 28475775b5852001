// PUT /room_keys/version/{version}.

import { shortText } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { backupInfo } from '../key-backup.ts';

export function putRoomKeysVersion({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'putRoomKeysVersion',
    method: 'PUT',
    paths: ['/_matrix/client/{v3,unstable}/room_keys/version/:version'],
    auth: 'user',
    params: { version: shortText() },
    body: Type.Object({ ...backupInfo, version: Type.Optional(Type.String()) }),
    handler: async ({ requester: { userId }, params: { version }, body }) => {
      if (body.version !== undefined && body.version !== version) {
        throw new MatrixError('M_INVALID_PARAM', 'The body names another version');
      }
      const { algorithm, auth_data: authData } = body;
      await userserver.performUpdateKeyBackup({ userId, version, algorithm, authData });
      return {};
    },
  });
}
