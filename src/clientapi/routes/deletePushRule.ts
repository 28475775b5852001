// DELETE /pushrules/global/{kind}/{ruleId}.

import { type Route, route } from '../../http/route.ts';
import type { ClientapiContext } from '../context.ts';
import { kind, ruleId, scope } from '../push-rules.ts';
import { usersVisible } from '../visible.ts';

export function deletePushRule(context: ClientapiContext): Route {
  return route({
    operationId: 'deletePushRule',
    method: 'DELETE',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId'],
    auth: 'user',
    rateLimit: 'message',
    params: { scope: scope(), kind: kind(), ruleId: ruleId() },
    handler: async ({ requester: { userId }, params: { kind, ruleId } }) => {
      const key = { userId, kind, ruleId };
      await usersVisible(context, await context.userserver.performDeletePushRule(key));
      return {};
    },
  });
}
