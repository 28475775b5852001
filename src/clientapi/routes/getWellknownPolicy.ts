// GET /.well-known/matrix/policy_server: the key of the policy server that runs under this server's name, if one does.

import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';

export function getWellknownPolicy({ config }: ClientapiContext): Route {
  const { policyServerPublicKey: ed25519 } = config;
  return route({
    operationId: 'getWellknownPolicy',
    method: 'GET',
    paths: ['/.well-known/matrix/policy_server'],
    auth: 'none',
    handler: async () => {
      if (ed25519 === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no policy server');
      return { public_keys: { ed25519 } };
    },
  });
}
