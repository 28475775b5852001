// POST /refresh.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { tokensBody } from '../session-body.ts';

export function refresh({ userserver }: ClientapiContext): Route {
  return route({
    operationId: 'refresh',
    method: 'POST',
    paths: ['/_matrix/client/{r0,v1,v3}/refresh'],
    auth: 'none',
    rateLimit: 'login',
    body: Type.Object({ refresh_token: Type.String() }),
    handler: async ({ body }) =>
      tokensBody(await userserver.performRefresh({ refreshToken: body.refresh_token })),
  });
}
