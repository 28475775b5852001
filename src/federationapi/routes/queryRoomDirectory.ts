// GET /_matrix/federation/v1/query/directory: the room of one of our aliases.

import { roomAlias } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import { serverNameOf } from '../../protocol/identifiers.ts';
import type { FederationapiContext } from '../context.ts';

export function queryRoomDirectory({ roomserver, serverName }: FederationapiContext): Route {
  return route({
    operationId: 'queryRoomDirectory',
    method: 'GET',
    paths: ['/_matrix/federation/v1/query/directory'],
    auth: 'server',
    query: { room_alias: roomAlias() },
    handler: async ({ query: { room_alias: alias } }) => {
      if (serverNameOf(alias) !== serverName) {
        throw new MatrixError('M_NOT_FOUND', 'The alias is of another server');
      }
      const { roomId, servers } = await roomserver.queryAlias({ alias });
      return { room_id: roomId, servers };
    },
  });
}
