// PUT /pushrules/global/{kind}/{ruleId}/enabled.

import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { ClientapiContext } from '../context.ts';
import { kind, ruleId, scope } from '../push-rules.ts';
import { usersVisible } from '../visible.ts';

export function setPushRuleEnabled(context: ClientapiContext): Route {
  return route({
    operationId: 'setPushRuleEnabled',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId/enabled'],
    auth: 'user',
    rateLimit: 'message',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    body: Type.Object({ enabled: Type.Boolean() }),
    handler: async ({ requester: { userId }, params: { kind, ruleId }, body: { enabled } }) => {
      const change = { userId, kind, ruleId, enabled };
      await usersVisible(context, await context.userserver.performSetPushRuleEnabled(change));
      return {};
    },
  });
}
