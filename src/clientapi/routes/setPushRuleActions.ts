// PUT /pushrules/global/{kind}/{ruleId}/actions.

import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { kind, ruleId, scope } from '../push-rules.ts';
import { usersVisible } from '../visible.ts';

export function setPushRuleActions(context: ClientapiContext): Route {
  return route({
    operationId: 'setPushRuleActions',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId/actions'],
    auth: 'user',
    rateLimit: 'message',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    body: Type.Object({ actions: Type.Array(Type.Union([Type.String(), jsonObject])) }),
    handler: async ({ requester: { userId }, params: { kind, ruleId }, body: { actions } }) => {
      const change = { userId, kind, ruleId, actions };
      await usersVisible(context, await context.userserver.performSetPushRuleActions(change));
      return {};
    },
  });
}
