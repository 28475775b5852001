// GET /pushrules/global/{kind}/{ruleId}/enabled.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { findRule, kind, ruleId, scope } from '../push-rules.ts';

export function isPushRuleEnabled(context: ClientapiContext): Route {
  return route({
    operationId: 'isPushRuleEnabled',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId/enabled'],
    auth: 'user',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    handler: async ({ requester: { userId }, params }) => {
      const { enabled } = await findRule(context, userId, params);
      return { enabled };
    },
  });
}
