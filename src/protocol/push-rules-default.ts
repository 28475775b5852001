// The server-default push rules (Client-Server API, "Predefined Rules"), and the shape of rules.

import { localpartOf, type UserId } from './identifiers.ts';
import type { JsonObject, JsonValue } from './json.ts';

export interface PushRule extends JsonObject {
  readonly rule_id: string;
  readonly default: boolean;
  readonly enabled: boolean;
  readonly actions: readonly JsonValue[];
  /** Of override and underride rules. */
  readonly conditions?: readonly JsonObject[];
  /** Of content rules. */
  readonly pattern?: string;
}

export const PUSH_RULE_KINDS = ['override', 'content', 'room', 'sender', 'underride'] as const;
export type PushRuleKind = (typeof PUSH_RULE_KINDS)[number];

/** Each kind in order of priority; the kinds are tried in the order of PUSH_RULE_KINDS. */
export interface PushRuleset extends JsonObject {
  readonly override: readonly PushRule[];
  readonly content: readonly PushRule[];
  readonly room: readonly PushRule[];
  readonly sender: readonly PushRule[];
  readonly underride: readonly PushRule[];
}

/** Precedes even the user's own rules. */
export const MASTER_RULE_ID = '.m.rule.master';

/**
 * Rules that look for mentions in the text. The specification has removed them in favour of `m.mentions`; they
 * are kept for clients that do not send it, and do not apply to events that have it.
 */
export const LEGACY_MENTION_RULE_IDS: ReadonlySet<string> = new Set([
  '.m.rule.contains_display_name',
  '.m.rule.roomnotif',
  '.m.rule.contains_user_name',
]);

const SOUND = { set_tweak: 'sound', value: 'default' };
const RING = { set_tweak: 'sound', value: 'ring' };
const HIGHLIGHT = { set_tweak: 'highlight' };

const SENDER_MAY_NOTIFY_ROOM = { kind: 'sender_notification_permission', key: 'room' };
const ONE_TO_ONE = { kind: 'room_member_count', is: '2' };

function match(key: string, pattern: string): JsonObject {
  return { kind: 'event_match', key, pattern };
}

function propertyIs(key: string, value: JsonValue): JsonObject {
  return { kind: 'event_property_is', key, value };
}

function rule(
  name: string,
  conditions: readonly JsonObject[],
  actions: readonly JsonValue[],
): PushRule {
  return { rule_id: `.m.rule.${name}`, default: true, enabled: true, conditions, actions };
}

function overrideRules(userId: UserId): PushRule[] {
  return [
    { ...rule('master', [], []), enabled: false },
    rule('suppress_notices', [match('content.msgtype', 'm.notice')], []),
    rule(
      'invite_for_me',
      [
        match('type', 'm.room.member'),
        match('content.membership', 'invite'),
        match('state_key', userId),
      ],
      ['notify', SOUND],
    ),
    rule('member_event', [match('type', 'm.room.member')], []),
    rule(
      'is_user_mention',
      [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
      ['notify', SOUND, HIGHLIGHT],
    ),
    rule(
      'contains_display_name',
      [{ kind: 'contains_display_name' }],
      ['notify', SOUND, HIGHLIGHT],
    ),
    rule(
      'is_room_mention',
      [propertyIs('content.m\\.mentions.room', true), SENDER_MAY_NOTIFY_ROOM],
      ['notify', HIGHLIGHT],
    ),
    rule(
      'roomnotif',
      [match('content.body', '@room'), SENDER_MAY_NOTIFY_ROOM],
      ['notify', HIGHLIGHT],
    ),
    rule(
      'tombstone',
      [match('type', 'm.room.tombstone'), match('state_key', '')],
      ['notify', HIGHLIGHT],
    ),
    rule('reaction', [match('type', 'm.reaction')], []),
    rule('room.server_acl', [match('type', 'm.room.server_acl'), match('state_key', '')], []),
    rule('suppress_edits', [propertyIs('content.m\\.relates_to.rel_type', 'm.replace')], []),
  ];
}

function contentRules(userId: UserId): PushRule[] {
  return [
    {
      rule_id: '.m.rule.contains_user_name',
      default: true,
      enabled: true,
      pattern: escapeGlob(localpartOf(userId)),
      actions: ['notify', SOUND, HIGHLIGHT],
    },
  ];
}

/** Globs have no escape; the wildcards of an odd user name match themselves as any one character. */
function escapeGlob(text: string): string {
  return text.replaceAll('*', '?');
}

function underrideRules(): PushRule[] {
  return [
    rule('call', [match('type', 'm.call.invite')], ['notify', RING]),
    rule(
      'encrypted_room_one_to_one',
      [ONE_TO_ONE, match('type', 'm.room.encrypted')],
      ['notify', SOUND],
    ),
    rule('room_one_to_one', [ONE_TO_ONE, match('type', 'm.room.message')], ['notify', SOUND]),
    rule('message', [match('type', 'm.room.message')], ['notify']),
    rule('encrypted', [match('type', 'm.room.encrypted')], ['notify']),
  ];
}

/** What `GET /pushrules/global/` answers to a user who has changed nothing. */
export function defaultPushRules(userId: UserId): PushRuleset {
  return {
    override: overrideRules(userId),
    content: contentRules(userId),
    room: [],
    sender: [],
    underride: underrideRules(),
  };
}
