// GET /register/available.

import { text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';

export function checkUsernameAvailability({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'checkUsernameAvailability',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/register/available'],
    auth: 'none',
    rateLimit: 'registration',
    query: { username: text() },
    handler: async ({ query: { username } }) => {
      await userserver.queryUsernameAvailable({ localpart: username });
      return { available: true };
    },
  });
}
