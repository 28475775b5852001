// GET /pushrules/global/{kind}/{ruleId}/actions.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { findRule, kind, ruleId, scope } from '../push-rules.ts';

export function getPushRuleActions(context: ClientapiContext): Route {
  return route({
    operationId: 'getPushRuleActions',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId/actions'],
    auth: 'user',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    handler: async ({ requester: { userId }, params }) => {
      const { actions } = await findRule(context, userId, params);
      return { actions };
    },
  });
}
