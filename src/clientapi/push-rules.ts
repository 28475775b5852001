// Push rules by their place: scope, kind and id (Client-Server API, "Push Rules: API").

import { oneOf, text } from '../http/parameters.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { isJsonObject, type JsonArray, type JsonObject } from '../protocol/json.ts';
import type { UserserverApi } from '../userserver/api.ts';

interface PushRules {
  readonly userserver: Pick<UserserverApi, 'queryPushRules'>;
}

/** `global` is the only scope there is. */
export const scope = () => oneOf('global');
export const kind = () => oneOf('override', 'underride', 'sender', 'room', 'content');
export const ruleId = () => text();

export async function globalRules({ userserver }: PushRules, userId: UserId): Promise<JsonObject> {
  const { global } = await userserver.queryPushRules({ userId });
  return isJsonObject(global) ? global : {};
}

export async function rulesOfKind(
  context: PushRules,
  userId: UserId,
  kind: string,
): Promise<JsonArray> {
  const rules = (await globalRules(context, userId))[kind];
  return Array.isArray(rules) ? rules : [];
}

/** Throws M_NOT_FOUND. */
export async function findRule(
  context: PushRules,
  userId: UserId,
  { kind, ruleId }: { readonly kind: string; readonly ruleId: string },
): Promise<JsonObject> {
  const rules = (await rulesOfKind(context, userId, kind)).filter(isJsonObject);
  const found = rules.find((rule) => rule.rule_id === ruleId);
  if (found === undefined) throw new MatrixError('M_NOT_FOUND', 'No such push rule');
  return found;
}
