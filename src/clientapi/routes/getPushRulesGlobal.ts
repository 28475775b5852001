// GET /pushrules/global/.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { globalRules, scope } from '../push-rules.ts';

export function getPushRulesGlobal(context: ClientapiContext): Route {
  return route({
    operationId: 'getPushRulesGlobal',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope{,/}'],
    auth: 'user',
    params: { scope: scope() },
    handler: async ({ requester: { userId } }) => await globalRules(context, userId),
  });
}
