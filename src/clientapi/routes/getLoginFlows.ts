// GET /login.

import { type Route, route } from '../../http/route.ts';

export function getLoginFlows(): Route {
  return route({
    operationId: 'getLoginFlows',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/login'],
    auth: 'none',
    handler: async () => ({
      flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
    }),
  });
}
