// GET /pushrules/global/{kind}/{ruleId}.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { findRule, kind, ruleId, scope } from '../push-rules.ts';

export function getPushRule(context: ClientapiContext): Route {
  return route({
    operationId: 'getPushRule',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId'],
    auth: 'user',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    handler: async ({ requester: { userId }, params }) => await findRule(context, userId, params),
  });
}
