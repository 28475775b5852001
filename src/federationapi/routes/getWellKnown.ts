// GET /.well-known/matrix/server.

import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';

export function getWellKnown({ config }: FederationapiContext): Route {
  return route({
    operationId: 'getWellKnown',
    method: 'GET',
    paths: ['/.well-known/matrix/server'],
    auth: 'none',
    handler: async () => {
      if (config.federationAddress !== undefined) return { 'm.server': config.federationAddress };
      const message = 'This server has no address for other servers: federation_address is not set';
      throw new MatrixError('M_NOT_FOUND', message);
    },
  });
}
