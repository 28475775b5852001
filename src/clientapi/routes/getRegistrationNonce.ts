// GET /_synapse/admin/v1/register: a nonce for registration by shared secret.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function getRegistrationNonce({ nonces }: ClientapiContext): Route {
  return route({
    operationId: 'getRegistrationNonce',
    method: 'GET',
    paths: ['/_synapse/admin/v1/register'],
    auth: 'none',
    rateLimit: 'registration',
    handler: async () => ({ nonce: nonces.issue() }),
  });
}
