// GET /pushrules/global/{kind}/: not in the specification any more, still asked for.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { kind, rulesOfKind, scope } from '../push-rules.ts';

export function getPushRulesOfKind(context: ClientapiContext): Route {
  return route({
    operationId: 'getPushRulesOfKind',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind{,/}'],
    auth: 'user',
    params: { scope: scope(), kind: kind() },
    handler: async ({ requester: { userId }, params: { kind } }) =>
      await rulesOfKind(context, userId, kind),
  });
}
