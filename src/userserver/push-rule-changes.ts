// What a user has changed about the default push rules, and how it is changed further (Client-Server API,
// "Push Rules: API"). Pure: nothing here is stored or read.

import { MatrixError } from '../protocol/error.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import {
  MASTER_RULE_ID,
  PUSH_RULE_KINDS,
  type PushRule,
  type PushRuleKind,
  type PushRuleset,
} from '../protocol/push-rules-default.ts';

export interface PushRuleChanges {
  /** The user's own rules, of each kind, most important first. */
  readonly own: Readonly<Record<PushRuleKind, readonly PushRule[]>>;
  /** What is different about default rules, by kind and rule id. */
  readonly defaults: Readonly<Record<PushRuleKind, Readonly<Record<string, DefaultChange>>>>;
}

interface DefaultChange {
  readonly enabled?: boolean;
  readonly actions?: readonly JsonValue[];
}

function forEachKind<T>(make: (kind: PushRuleKind) => T): Record<PushRuleKind, T> {
  return Object.fromEntries(PUSH_RULE_KINDS.map((kind) => [kind, make(kind)])) as Record<
    PushRuleKind,
    T
  >;
}

export const NO_CHANGES: PushRuleChanges = {
  own: forEachKind(() => []),
  defaults: forEachKind(() => ({})),
};

/** The user's own rules come before the default ones of their kind, but for the master rule. */
export function applyChanges(defaults: PushRuleset, changes: PushRuleChanges): PushRuleset {
  return forEachKind((kind) => {
    const changed = changes.defaults[kind];
    const rules = defaults[kind].map((rule) => ({ ...rule, ...changed[rule.rule_id] }));
    const master = rules.filter((rule) => rule.rule_id === MASTER_RULE_ID);
    const others = rules.filter((rule) => rule.rule_id !== MASTER_RULE_ID);
    return [...master, ...changes.own[kind], ...others];
  });
}

export interface RulePlace {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/**
 * Adds a rule, as the most important one of its kind unless `place` says otherwise, or changes it where it stands.
 * Throws M_UNKNOWN when the rule of `place` is not one of the user's own.
 */
export function withRule(
  changes: PushRuleChanges,
  { kind, ruleId, rule, place }: RuleKey & { rule: JsonObject; place: RulePlace },
): PushRuleChanges {
  const rules = changes.own[kind];
  const index = rules.findIndex((each) => each.rule_id === ruleId);
  const enabled = rules[index]?.enabled ?? true;
  const stored = { ...rule, rule_id: ruleId, default: false, enabled } as PushRule;
  const others = rules.filter((each) => each.rule_id !== ruleId);
  const stays = index === -1 ? 0 : index;
  return withOwn(changes, kind, others.toSpliced(placeOf(others, place) ?? stays, 0, stored));
}

/** With both given, it is `before` that counts. */
function placeOf(rules: readonly PushRule[], { before, after }: RulePlace): number | undefined {
  const neighbour = before ?? after;
  if (neighbour === undefined) return undefined;
  const index = rules.findIndex((rule) => rule.rule_id === neighbour);
  if (index === -1) {
    throw new MatrixError('M_UNKNOWN', `before/after rule not found: ${neighbour}`);
  }
  return before === undefined ? index + 1 : index;
}

export interface RuleKey {
  readonly kind: PushRuleKind;
  readonly ruleId: string;
}

/** Throws M_NOT_FOUND, for default rules too. */
export function withoutRule(changes: PushRuleChanges, { kind, ruleId }: RuleKey): PushRuleChanges {
  const rules = changes.own[kind];
  const others = rules.filter((rule) => rule.rule_id !== ruleId);
  if (others.length === rules.length) throw notFound();
  return withOwn(changes, kind, others);
}

/** Enables a rule or changes its actions, be it the user's own or a default one. Throws M_NOT_FOUND. */
export function withChangedRule(
  changes: PushRuleChanges,
  request: RuleKey & { change: DefaultChange; defaults: PushRuleset },
): PushRuleChanges {
  const { kind, ruleId, change, defaults } = request;
  if (defaults[kind].some((rule) => rule.rule_id === ruleId)) {
    const ofKind = changes.defaults[kind];
    const changed = { ...ofKind, [ruleId]: { ...ofKind[ruleId], ...change } };
    return { ...changes, defaults: { ...changes.defaults, [kind]: changed } };
  }
  const rules = changes.own[kind];
  if (!rules.some((rule) => rule.rule_id === ruleId)) throw notFound();
  const changed = rules.map((rule) => (rule.rule_id === ruleId ? { ...rule, ...change } : rule));
  return withOwn(changes, kind, changed);
}

/**
 * With what rules of their own users have for a room, which bear its id, for another room as well; undefined where there
 * are none, or that one has its own.
 */
export function withRulesOfRoom(
  changes: PushRuleChanges,
  { from, to }: { readonly from: string; readonly to: string },
): PushRuleChanges | undefined {
  const named = (kind: PushRuleKind, ruleId: string) =>
    changes.own[kind].find((rule) => rule.rule_id === ruleId);
  let after: PushRuleChanges | undefined;
  for (const kind of PUSH_RULE_KINDS) {
    const rule = named(kind, from);
    if (rule === undefined || named(kind, to) !== undefined) continue;
    const copy = { ...rule, rule_id: to, ...conditionsFor(rule, { from, to }) };
    after = withOwn(after ?? changes, kind, [copy, ...changes.own[kind]]);
  }
  return after;
}

function conditionsFor({ conditions }: PushRule, { from, to }: { from: string; to: string }) {
  if (conditions === undefined) return {};
  const isOfRoom = (condition: JsonObject) =>
    condition.key === 'room_id' && condition.pattern === from;
  const changed = conditions.map((one) => (isOfRoom(one) ? { ...one, pattern: to } : one));
  return { conditions: changed };
}

function withOwn(
  changes: PushRuleChanges,
  kind: PushRuleKind,
  rules: readonly PushRule[],
): PushRuleChanges {
  return { ...changes, own: { ...changes.own, [kind]: rules } };
}

function notFound(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'The push rule was not found');
}
