// The push rules of users: the default ones with what the user has changed about them.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import { type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import { defaultPushRules } from '../protocol/push-rules-default.ts';
import type { UserserverApi, Written } from './api.ts';
import type { UserCaches, UserserverContext } from './context.ts';
import {
  applyChanges,
  NO_CHANGES,
  type PushRuleChanges,
  withChangedRule,
  withoutRule,
  withRule,
  withRulesOfRoom,
} from './push-rule-changes.ts';
import { checkActions, checkKind, checkNewRuleId, checkRule } from './push-rule-checks.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import { lockAccount } from './store/accounts.ts';
import { selectPushRuleChanges, upsertPushRuleChanges } from './store/push-rules.ts';

const MAX_REMEMBERED = 5000;
/** All changes of one user. They are read and checked for every event that the user may be notified of. */
const MAX_CHANGES_BYTES = 512 * 1024;
/** Of patterns each is looked for in every such event; rules for rooms and senders cost next to nothing. */
const MAX_PATTERNS = 300;

type PushRulesApi = Pick<
  UserserverApi,
  | 'queryPushRules'
  | 'performSetPushRule'
  | 'performDeletePushRule'
  | 'performSetPushRuleEnabled'
  | 'performSetPushRuleActions'
>;

export function createPushRules(context: UserserverContext): {
  readonly api: PushRulesApi;
  readonly rules: PushRules;
} {
  const rules = new PushRules(context);
  const api: PushRulesApi = {
    queryPushRules: ({ userId }) => rules.query(userId),
    performSetPushRule: async ({ userId, ruleId, before, after, ...request }) => {
      const kind = checkKind(request.kind);
      checkNewRuleId(ruleId);
      const rule = checkRule(kind, request.rule);
      const place = { before, after };
      return rules.change(userId, (changes) => withRule(changes, { kind, ruleId, rule, place }));
    },
    performDeletePushRule: async ({ userId, ruleId, ...request }) => {
      const kind = checkKind(request.kind);
      return rules.change(userId, (changes) => withoutRule(changes, { kind, ruleId }));
    },
    performSetPushRuleEnabled: async ({ userId, ruleId, enabled, ...request }) => {
      const key = { kind: checkKind(request.kind), ruleId, defaults: defaultPushRules(userId) };
      const change = { enabled };
      return rules.change(userId, (changes) => withChangedRule(changes, { ...key, change }));
    },
    performSetPushRuleActions: async ({ userId, ruleId, actions, ...request }) => {
      const key = { kind: checkKind(request.kind), ruleId, defaults: defaultPushRules(userId) };
      const change = { actions: checkActions(actions) };
      return rules.change(userId, (changes) => withChangedRule(changes, { ...key, change }));
    },
  };
  return { api, rules };
}

export class PushRules implements UserCaches {
  readonly #context: UserserverContext;
  /** The same object for as long as the rules are the same: those who evaluate them compile them once. */
  readonly #rules: ReadThroughCache<UserId, JsonObject>;

  constructor(context: UserserverContext) {
    this.#context = context;
    this.#rules = new ReadThroughCache<UserId, JsonObject>(MAX_REMEMBERED, async (userId) => {
      const changes = parseChanges(await selectPushRuleChanges(context.database, userId));
      return { global: applyChanges(defaultPushRules(userId), changes) };
    });
  }

  async query(userId: UserId): Promise<JsonObject> {
    return (await this.#rules.get(userId)) ?? { global: defaultPushRules(userId) };
  }

  change(userId: UserId, edit: (before: PushRuleChanges) => PushRuleChanges): Promise<Written> {
    return this.#context.write(userId, async (tx) => {
      await lockAccount(tx, userId);
      const before = parseChanges(await selectPushRuleChanges(tx, userId));
      await upsertPushRuleChanges(tx, userId, serialize(edit(before)));
      this.forgetAfterCommit(tx, userId);
      return [{ kind: 'PushRulesChanged' }];
    });
  }

  /** Within a unit of work that holds the account's lock: rules named by a room get their like for another. */
  async copyWithin(
    tx: Transaction,
    userId: UserId,
    rooms: { readonly from: RoomId; readonly to: RoomId },
  ): Promise<boolean> {
    const before = parseChanges(await selectPushRuleChanges(tx, userId));
    const after = withRulesOfRoom(before, rooms);
    if (after === undefined) return false;
    await upsertPushRuleChanges(tx, userId, serialize(after));
    this.forgetAfterCommit(tx, userId);
    return true;
  }

  /** Also when the unit fails: it may have been committed all the same. */
  forgetAfterCommit(tx: Transaction, userId: UserId): void {
    const forget = () => this.#rules.forget(userId);
    tx.afterCommit(forget);
    tx.afterRollback(forget);
  }
}

function parseChanges(text: string | undefined): PushRuleChanges {
  return text === undefined ? NO_CHANGES : (parseJsonExactly(text) as unknown as PushRuleChanges);
}

function serialize(changes: PushRuleChanges): string {
  const text = JSON.stringify(changes);
  if (Buffer.byteLength(text) > MAX_CHANGES_BYTES || patternsIn(changes) > MAX_PATTERNS) {
    throw new MatrixError('M_TOO_LARGE', 'There are too many push rules');
  }
  return text;
}

function patternsIn({ own }: PushRuleChanges): number {
  const conditions = [...own.override, ...own.underride].flatMap((rule) => rule.conditions ?? []);
  return own.content.length + conditions.filter(({ kind }) => kind === 'event_match').length;
}
