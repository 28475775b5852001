// GET /_matrix/federation/v1/version.

import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

export function getVersion({ version }: FederationapiContext): Route {
  return route({
    operationId: 'getVersion',
    method: 'GET',
    paths: ['/_matrix/federation/v1/version'],
    auth: 'none',
    handler: async () => ({ server: { name: 'Keyhole', version } }),
  });
}
