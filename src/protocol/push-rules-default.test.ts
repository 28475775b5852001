import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUserId } from './identifiers.ts';
import type { JsonObject } from './json.ts';
import { defaultPushRules, PUSH_RULE_KINDS } from './push-rules-default.ts';

const rules = defaultPushRules(parseUserId('@alice:example.org'));

test('the rules of the specification in its order, with the older ones for mentions in between', () => {
  const ids = (kind: 'override' | 'content' | 'underride') =>
    rules[kind].map(({ rule_id }) => rule_id.replace('.m.rule.', ''));
  assert.deepEqual(ids('override'), [
    'master',
    'suppress_notices',
    'invite_for_me',
    'member_event',
    'is_user_mention',
    'contains_display_name',
    'is_room_mention',
    'roomnotif',
    'tombstone',
    'reaction',
    'room.server_acl',
    'suppress_edits',
  ]);
  assert.deepEqual(ids('content'), ['contains_user_name']);
  assert.deepEqual(ids('underride'), [
    'call',
    'encrypted_room_one_to_one',
    'room_one_to_one',
    'message',
    'encrypted',
  ]);
  assert.deepEqual([rules.room, rules.sender], [[], []]);
});

test('all are defaults, all but the master rule enabled, and each has the shape of its kind', () => {
  for (const kind of PUSH_RULE_KINDS) {
    for (const rule of rules[kind] as readonly JsonObject[]) {
      assert.equal(rule.default, true);
      assert.equal(rule.enabled, rule.rule_id !== '.m.rule.master');
      assert.equal(typeof rule.pattern === 'string', kind === 'content');
      assert.equal(Array.isArray(rule.conditions), kind !== 'content');
    }
  }
});

test('wildcards in odd user names do not widen the rule', () => {
  const [rule] = defaultPushRules(parseUserId('@a*b:c')).content;
  assert.equal(rule?.pattern, 'a?b');
});
