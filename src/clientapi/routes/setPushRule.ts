// PUT /pushrules/global/{kind}/{ruleId}.

import { shortText } from '../../http/identifier-parameters.ts';
import { optional, text } from '../../http/parameters.ts';
import { jsonObject, type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { ClientapiContext } from '../context.ts';
import { kind, scope } from '../push-rules.ts';
import { usersVisible } from '../visible.ts';
import { withoutUndefined } from '../without-undefined.ts';

const body = Type.Object({
  actions: Type.Array(Type.Union([Type.String(), jsonObject])),
  conditions: Type.Optional(Type.Array(jsonObject)),
  pattern: Type.Optional(Type.String()),
});

export function setPushRule(context: ClientapiContext): Route {
  return route({
    operationId: 'setPushRule',
    method: 'PUT',
    paths: ['/_matrix/client/{r0,v3}/pushrules/:scope/:kind/:ruleId'],
    auth: 'user',
    rateLimit: 'message',
    errorStatus: { M_UNKNOWN: 400 },
    params: { scope: scope(), kind: kind(), ruleId: shortText() },
    query: { before: optional(text()), after: optional(text()) },
    body,
    handler: async ({ requester: { userId }, params: { kind, ruleId }, query, body: rule }) => {
      checkNewRuleId(ruleId);
      const written = await context.userserver.performSetPushRule({
        ...withoutUndefined(query),
        userId,
        kind,
        ruleId,
        rule: withoutUndefined({
          actions: rule.actions,
          conditions: rule.conditions,
          pattern: rule.pattern,
        }),
      });
      await usersVisible(context, written);
      return {};
    },
  });
}

/** Throws M_INVALID_PARAM. */
function checkNewRuleId(ruleId: string): void {
  if (ruleId.startsWith('.') || /[/\\]/.test(ruleId)) {
    const message = 'Rule ids of users neither start with a dot nor contain slashes';
    throw new MatrixError('M_INVALID_PARAM', message);
  }
}
