// What a push rule from a client must look like (Client-Server API, "Push Rules: API").

import { MatrixError } from '../protocol/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../protocol/json.ts';
import { PUSH_RULE_KINDS, type PushRuleKind } from '../protocol/push-rules-default.ts';

const MAX_RULE_ID_BYTES = 255;

/** Throws M_INVALID_PARAM. */
export function checkKind(kind: string): PushRuleKind {
  const known = PUSH_RULE_KINDS.find((each) => each === kind);
  if (known === undefined) throw invalid('There is no such kind of push rule');
  return known;
}

/** Of a rule that is about to be made. Throws M_INVALID_PARAM. */
export function checkNewRuleId(ruleId: string): void {
  if (ruleId === '' || Buffer.byteLength(ruleId) > MAX_RULE_ID_BYTES) {
    throw invalid(`Rule IDs have 1 to ${MAX_RULE_ID_BYTES} bytes`);
  }
  if (ruleId.startsWith('.')) throw invalid('Rule IDs that start with a dot are the server’s');
  if (/[/\\]/.test(ruleId)) throw invalid('Rule IDs contain neither slashes nor backslashes');
}

/** The keys of the rule that its kind has; what else the client sent is dropped. Throws M_MISSING_PARAM, M_INVALID_PARAM. */
export function checkRule(kind: PushRuleKind, rule: JsonObject): JsonObject {
  const actions = checkActions(rule.actions);
  if (kind === 'content') return { actions, pattern: checkPattern(rule.pattern) };
  if (kind === 'room' || kind === 'sender') return { actions };
  return { actions, conditions: checkConditions(rule.conditions) };
}

/** Historical actions such as `dont_notify` are kept as they are; nothing comes of them. */
export function checkActions(actions: JsonValue | undefined): readonly JsonValue[] {
  if (actions === undefined) throw missing('actions');
  if (!Array.isArray(actions) || !actions.every(isAction)) throw invalid('actions is not valid');
  return actions;
}

function isAction(action: JsonValue): boolean {
  return typeof action === 'string' || (isJsonObject(action) && isText(action.set_tweak));
}

function checkPattern(pattern: JsonValue | undefined): string {
  if (pattern === undefined) throw missing('pattern');
  if (!isText(pattern)) throw invalid('pattern is no string');
  return pattern;
}

/** Kinds of conditions that nobody knows are allowed: they never hold. */
function checkConditions(conditions: JsonValue | undefined): readonly JsonObject[] {
  if (conditions === undefined) return [];
  if (!Array.isArray(conditions) || !conditions.every(isCondition)) {
    throw invalid('conditions is not valid');
  }
  return conditions;
}

function isCondition(condition: JsonValue): condition is JsonObject {
  return isJsonObject(condition) && isText(condition.kind);
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string';
}

function invalid(message: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', message);
}

function missing(parameter: string): MatrixError {
  return new MatrixError('M_MISSING_PARAM', `Missing parameter: ${parameter}`);
}
