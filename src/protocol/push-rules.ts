// Which push rule applies to an event, and what it asks for (Client-Server API, "Push Rules").

import type { UserId } from './identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import {
  type Condition,
  compileCondition,
  compileEventMatch,
  type PushContext,
} from './push-conditions.ts';
import {
  LEGACY_MENTION_RULE_IDS,
  MASTER_RULE_ID,
  PUSH_RULE_KINDS,
  type PushRuleKind,
} from './push-rules-default.ts';

export interface PushVerdict {
  readonly notify: boolean;
  readonly highlight: boolean;
  readonly sound?: string;
  /** All tweaks, for the push gateway. */
  readonly tweaks: JsonObject;
  /** The rule that matched; undefined when none did. */
  readonly ruleId?: string;
}

const NOTHING: PushVerdict = { notify: false, highlight: false, tweaks: {} };

interface CompiledRule {
  /** Events of other types do not match; undefined: any may. */
  readonly type: string | undefined;
  readonly isLegacyMention: boolean;
  readonly conditions: readonly Condition[];
  readonly verdict: PushVerdict;
}

/** Compiled rules by the ruleset that they come from, which is not to be changed in place. */
const compiled = new WeakMap<JsonObject, CompiledRuleset>();
/** Of a ruleset. Strangers make up types. */
const MAX_TYPES = 50;

/** Most rules are about events of one type, so that few are left to be tried. */
class CompiledRuleset {
  readonly #rules: readonly CompiledRule[];
  readonly #byType = new Map<JsonValue | undefined, readonly CompiledRule[]>();

  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules;
  }

  /** Those that events of the type may match, in order. */
  ofType(type: JsonValue | undefined): readonly CompiledRule[] {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const lower = typeof type === 'string' ? type.toLowerCase() : undefined;
    const found = this.#rules.filter((rule) => rule.type === undefined || rule.type === lower);
    if (this.#byType.size >= MAX_TYPES) this.#byType.clear();
    this.#byType.set(type, found);
    return found;
  }
}

/**
 * What the user's rules make of an event. `ruleset` is the `global` object of the user's push rules; what is
 * malformed in it never matches. Nobody is notified of events of one's own.
 */
export function evaluatePushRules(
  ruleset: JsonObject,
  context: PushContext & { readonly userId: UserId },
): PushVerdict {
  if (context.event.sender === context.userId) return NOTHING;
  let rules = compiled.get(ruleset);
  if (rules === undefined) {
    rules = new CompiledRuleset(compileRuleset(ruleset));
    compiled.set(ruleset, rules);
  }
  const content = context.event.content;
  const hasMentions = isJsonObject(content) && isJsonObject(content['m.mentions']);
  for (const rule of rules.ofType(context.event.type)) {
    if (rule.isLegacyMention && hasMentions) continue;
    if (rule.conditions.every((holds) => holds(context))) return rule.verdict;
  }
  return NOTHING;
}

/** Enabled rules in the order in which they are tried. */
function compileRuleset(ruleset: JsonObject): CompiledRule[] {
  const rules = PUSH_RULE_KINDS.flatMap((kind) =>
    enabledRules(ruleset[kind]).map((rule) => ({ kind, rule })),
  );
  const isMaster = ({ kind, rule }: { kind: PushRuleKind; rule: JsonObject }) =>
    kind === 'override' && rule.rule_id === MASTER_RULE_ID;
  const ordered = [...rules.filter(isMaster), ...rules.filter((each) => !isMaster(each))];
  return ordered.map(({ kind, rule }) => ({
    type: typeOf(kind, rule),
    isLegacyMention: LEGACY_MENTION_RULE_IDS.has(String(rule.rule_id)),
    conditions: conditionsOf(kind, rule),
    verdict: verdictOf(rule),
  }));
}

function enabledRules(rules: JsonValue | undefined): JsonObject[] {
  if (!Array.isArray(rules)) return [];
  return rules.filter(isJsonObject).filter(({ enabled }) => enabled !== false);
}

const LITERAL_TYPE = /^[a-z0-9._-]+$/;

/** Where a condition names one type; undefined: the rule has to be tried with events of every type. */
function typeOf(kind: PushRuleKind, { conditions }: JsonObject): string | undefined {
  const hasConditions = kind === 'override' || kind === 'underride';
  if (!hasConditions || !Array.isArray(conditions)) return undefined;
  const patterns = conditions
    .filter(isJsonObject)
    .filter(({ kind, key }) => kind === 'event_match' && key === 'type')
    .map(({ pattern }) => pattern);
  return patterns
    .filter((each) => typeof each === 'string')
    .find((each) => LITERAL_TYPE.test(each));
}

/** Room, sender and content rules have conditions that follow from their kind. */
function conditionsOf(kind: PushRuleKind, rule: JsonObject): readonly Condition[] {
  switch (kind) {
    case 'content':
      return [compileEventMatch('content.body', rule.pattern)];
    case 'room':
      return [({ event }) => event.room_id === rule.rule_id];
    case 'sender':
      return [({ event }) => event.sender === rule.rule_id];
    default: {
      const conditions = rule.conditions ?? [];
      if (!Array.isArray(conditions)) return [() => false];
      return conditions.map((each) => (isJsonObject(each) ? compileCondition(each) : () => false));
    }
  }
}

/** `dont_notify` and `coalesce` of older clients are nothing, as are actions that are not known. */
function verdictOf({ rule_id: ruleId, actions }: JsonObject): PushVerdict {
  const list: readonly JsonValue[] = Array.isArray(actions) ? actions : [];
  const tweaks: JsonObject = Object.fromEntries(list.filter(isJsonObject).flatMap(tweakOf));
  return {
    notify: list.includes('notify'),
    highlight: tweaks.highlight !== undefined && tweaks.highlight !== false,
    ...(typeof tweaks.sound === 'string' ? { sound: tweaks.sound } : undefined),
    tweaks,
    ...(typeof ruleId === 'string' ? { ruleId } : undefined),
  };
}

/** A highlight without value is true; another tweak without value is none. */
function tweakOf({ set_tweak: name, value }: JsonObject): [string, JsonValue][] {
  if (typeof name !== 'string') return [];
  if (value !== undefined) return [[name, value]];
  return name === 'highlight' ? [[name, true]] : [];
}
