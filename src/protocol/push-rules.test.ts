import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUserId } from './identifiers.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { parsePropertyPath, readProperty } from './property-path.ts';
import { compileCondition, type PushContext } from './push-conditions.ts';
import { evaluatePushRules } from './push-rules.ts';
import { defaultPushRules } from './push-rules-default.ts';

const userId = parseUserId('@alice:example.org');
const defaults = defaultPushRules(userId);

function context(event: JsonObject, differences: Partial<PushContext> = {}) {
  return {
    event: { sender: '@bob:b', room_id: '!r:b', type: 'm.room.message', content: {}, ...event },
    displayName: 'Alice Liddell',
    memberCount: 3,
    senderMayNotify: () => true,
    userId,
    ...differences,
  };
}

function verdict(
  event: JsonObject,
  differences: Partial<PushContext> = {},
  ruleset: JsonObject = defaults,
) {
  const { notify, highlight, sound, ruleId } = evaluatePushRules(
    ruleset,
    context(event, differences),
  );
  const flags = [notify ? 'notify' : '', highlight ? 'highlight' : '', sound ?? ''];
  return `${ruleId ?? 'none'}: ${flags.filter((flag) => flag !== '').join(' ')}`;
}

const text = (body: string, more: JsonObject = {}): JsonObject => ({
  content: { msgtype: 'm.text', body, ...more },
});
const member = (membership: string, stateKey: string): JsonObject => ({
  type: 'm.room.member',
  state_key: stateKey,
  content: { membership },
});

const DEFAULTS: [string, JsonObject, string, Partial<PushContext>?][] = [
  ['a message', text('hi'), '.m.rule.message: notify'],
  [
    'a message one to one',
    text('hi'),
    '.m.rule.room_one_to_one: notify default',
    { memberCount: 2 },
  ],
  ['an encrypted event', { type: 'm.room.encrypted' }, '.m.rule.encrypted: notify'],
  [
    'an encrypted event one to one',
    { type: 'm.room.encrypted' },
    '.m.rule.encrypted_room_one_to_one: notify default',
    { memberCount: 2 },
  ],
  ['a call', { type: 'm.call.invite' }, '.m.rule.call: notify ring'],
  ['a notice', text('hi', { msgtype: 'm.notice' }), '.m.rule.suppress_notices: '],
  ['an invite for me', member('invite', userId), '.m.rule.invite_for_me: notify default'],
  ['an invite for another', member('invite', '@c:d'), '.m.rule.member_event: '],
  ['a join', member('join', '@c:d'), '.m.rule.member_event: '],
  ['a topic', { type: 'm.room.topic', state_key: '' }, 'none: '],
  [
    'a tombstone',
    { type: 'm.room.tombstone', state_key: '' },
    '.m.rule.tombstone: notify highlight',
  ],
  ['a tombstone that is no state', { type: 'm.room.tombstone' }, 'none: '],
  ['a reaction', { type: 'm.reaction' }, '.m.rule.reaction: '],
  ['server ACLs', { type: 'm.room.server_acl', state_key: '' }, '.m.rule.room.server_acl: '],
  [
    'an edit',
    text('* hi', { 'm.relates_to': { rel_type: 'm.replace' } }),
    '.m.rule.suppress_edits: ',
  ],
  [
    'a mention',
    text('hi', { 'm.mentions': { user_ids: [userId] } }),
    '.m.rule.is_user_mention: notify highlight default',
  ],
  [
    'a mention of another',
    text('hi', { 'm.mentions': { user_ids: ['@c:d'] } }),
    '.m.rule.message: notify',
  ],
  [
    'a mention of the room',
    text('hi', { 'm.mentions': { room: true } }),
    '.m.rule.is_room_mention: notify highlight',
  ],
  [
    'a mention of the room without the power',
    text('hi', { 'm.mentions': { room: true } }),
    '.m.rule.message: notify',
    { senderMayNotify: () => false },
  ],
  [
    'a mention that is not a boolean',
    text('hi', { 'm.mentions': { room: 'true' } }),
    '.m.rule.message: notify',
  ],
  [
    'my display name',
    text('hello alice LIDDELL!'),
    '.m.rule.contains_display_name: notify highlight default',
  ],
  [
    'part of a word',
    text('Alice Liddells'),
    '.m.rule.contains_user_name: notify highlight default',
  ],
  ['my user name', text('ALICE: hi'), '.m.rule.contains_user_name: notify highlight default'],
  ['@room', text('hey @room'), '.m.rule.roomnotif: notify highlight'],
  [
    'names where mentions are given',
    text('Alice Liddell @room alice', { 'm.mentions': {} }),
    '.m.rule.message: notify',
  ],
  [
    'a message with odd content',
    { content: { body: 5, 'm.mentions': [] } },
    '.m.rule.message: notify',
  ],
  ['my own message', { ...text('alice'), sender: userId }, 'none: '],
];

for (const [name, event, expected, differences] of DEFAULTS) {
  test(`by default: ${name}`, () => assert.equal(verdict(event, differences), expected));
}

test('an empty display name is in no message', () => {
  for (const displayName of ['', ' ', undefined]) {
    assert.equal(verdict(text('a  b'), { displayName }), '.m.rule.message: notify');
  }
});

const own = (differences: JsonObject): JsonObject => ({
  rule_id: 'own',
  default: false,
  enabled: true,
  actions: ['notify', { set_tweak: 'sound', value: 'own' }],
  ...differences,
});

function withRules(kind: string, ...rules: JsonObject[]): JsonObject {
  return { ...defaults, [kind]: [...rules, ...((defaults[kind] as readonly JsonObject[]) ?? [])] };
}

test('kinds go from override over content, room and sender to underride', () => {
  const event = text('tea time');
  const rules: JsonObject = {
    override: [own({ rule_id: 'o', enabled: false })],
    content: [own({ rule_id: 'c', pattern: 'coffee' })],
    room: [own({ rule_id: '!r:b' }), own({ rule_id: '!x:b' })],
    sender: [own({ rule_id: '@bob:b' })],
    underride: [own({ rule_id: 'u' })],
  };
  assert.match(verdict(event, {}, rules), /^!r:b: /);
  assert.match(verdict({ ...event, room_id: '!y:b' }, {}, rules), /^@bob:b: /);
  assert.match(verdict({ ...event, room_id: '!y:b', sender: '@c:d' }, {}, rules), /^u: /);
  assert.match(verdict(text('Coffee!'), {}, rules), /^c: /);
  assert.match(verdict(event, {}, { ...rules, override: [own({ rule_id: 'o' })] }), /^o: /);
});

test('the first match of a kind decides, the user’s before the defaults, the master rule before all', () => {
  const rules = withRules(
    'content',
    own({ pattern: 'tea' }),
    own({ rule_id: 'b', pattern: 'time' }),
  );
  assert.equal(verdict(text('time for tea'), {}, rules), 'own: notify own');
  const muted = withRules('override', own({ rule_id: 'mute', conditions: [], actions: [] }));
  assert.equal(verdict(text('alice'), {}, muted), 'mute: ');
  const master = { rule_id: '.m.rule.master', enabled: true, conditions: [], actions: [] };
  const off = withRules('override', own({ conditions: [] }), master);
  assert.equal(verdict(text('alice'), {}, off), '.m.rule.master: ');
});

test('actions: older and unknown ones are nothing, highlight may be false', () => {
  const of = (...actions: JsonValue[]) =>
    verdict(text('hi'), {}, { override: [own({ conditions: [], actions })] });
  assert.equal(of('dont_notify'), 'own: ');
  assert.equal(of('coalesce', 'notify'), 'own: notify');
  assert.equal(of({ set_tweak: 'highlight', value: false }, 'notify'), 'own: notify');
  assert.equal(of({ set_tweak: 'highlight' }, { set_tweak: 'sound' }), 'own: highlight');
  assert.equal(
    of(null, 5, { set_tweak: 7 }, { set_tweak: '__proto__', value: { notify: true } }),
    'own: ',
  );
  assert.equal(
    verdict(text('hi'), {}, { override: [own({ conditions: [], actions: 'notify' })] }),
    'own: ',
  );
});

test('malformed rulesets match nothing and never throw', () => {
  const odd: JsonValue[] = [null, 1, 'a', [], {}, [null], [1], [{}]];
  for (const rules of odd) {
    for (const kind of ['content', 'room', 'sender']) {
      assert.equal(verdict(text('hi'), {}, { [kind]: rules }), 'none: ');
    }
  }
  for (const conditions of ['a', [null], [{}], [{ kind: 'unknown' }], [5]] as JsonValue[]) {
    assert.equal(verdict(text('hi'), {}, { override: [own({ conditions })] }), 'none: ');
  }
});

const CONDITIONS: [JsonObject, JsonObject, boolean][] = [
  [
    { kind: 'event_match', key: 'content.topic', pattern: 'lunc?*' },
    { content: { topic: 'Lunch plans' } },
    true,
  ],
  [
    { kind: 'event_match', key: 'content.topic', pattern: '*' },
    { content: { topic: null } },
    false,
  ],
  [{ kind: 'event_match', key: 'content.topic', pattern: '*' }, {}, false],
  [
    { kind: 'event_match', key: 'content.topic', pattern: 'a' },
    { content: { topic: 'x a y' } },
    false,
  ],
  [
    { kind: 'event_match', key: 'content.body', pattern: 'a' },
    { content: { body: 'x a y' } },
    true,
  ],
  [
    { kind: 'event_match', key: 'content.a\\.b.c', pattern: 'd' },
    { content: { 'a.b': { c: 'd' } } },
    true,
  ],
  [
    { kind: 'event_match', key: 'content.a\\.b.c', pattern: 'd' },
    { content: { a: { b: { c: 'd' } } } },
    false,
  ],
  [{ kind: 'event_match', key: 'room_id', pattern: '!R:*' }, {}, true],
  [{ kind: 'event_match', key: 'content.constructor.name', pattern: '*' }, {}, false],
  [{ kind: 'event_match', key: 'type' }, {}, false],
  [{ kind: 'event_match', pattern: '*' }, {}, false],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    { content: { 'm.federate': true } },
    true,
  ],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    { content: { 'm.federate': 'true' } },
    false,
  ],
  [
    { kind: 'event_property_is', key: 'content.m\\.federate', value: true },
    { content: { 'm.federate': 1 } },
    false,
  ],
  [{ kind: 'event_property_is', key: 'content.a', value: null }, { content: { a: null } }, true],
  [{ kind: 'event_property_is', key: 'content.a', value: null }, {}, false],
  [{ kind: 'event_property_is', key: 'content.a', value: 1.5 }, { content: { a: 1.5 } }, false],
  [{ kind: 'event_property_is', key: 'content.a' }, {}, false],
  [{ kind: 'event_property_is', key: 'content.a', value: {} }, { content: { a: {} } }, false],
  [
    { kind: 'event_property_contains', key: 'content.a', value: 'x' },
    { content: { a: ['y', {}, 'x'] } },
    true,
  ],
  [
    { kind: 'event_property_contains', key: 'content.a', value: 'x' },
    { content: { a: ['xx'] } },
    false,
  ],
  [
    { kind: 'event_property_contains', key: 'content.a', value: 'x' },
    { content: { a: 'x' } },
    false,
  ],
  [
    { kind: 'event_property_contains', key: 'content.a', value: [] },
    { content: { a: [[]] } },
    false,
  ],
  [{ kind: 'room_member_count', is: '3' }, {}, true],
  [{ kind: 'room_member_count', is: '==3' }, {}, true],
  [{ kind: 'room_member_count', is: '<3' }, {}, false],
  [{ kind: 'room_member_count', is: '<=3' }, {}, true],
  [{ kind: 'room_member_count', is: '>2' }, {}, true],
  [{ kind: 'room_member_count', is: '>=4' }, {}, false],
  [{ kind: 'room_member_count', is: '=3' }, {}, false],
  [{ kind: 'room_member_count', is: 'x' }, {}, false],
  [{ kind: 'room_member_count', is: 3 }, {}, false],
  [{ kind: 'room_member_count' }, {}, false],
  [{ kind: 'sender_notification_permission', key: 'room' }, {}, true],
  [{ kind: 'sender_notification_permission' }, {}, false],
  [{ kind: 'device', profile_tag: 'a' }, {}, false],
  [{}, {}, false],
];

for (const [condition, event, expected] of CONDITIONS) {
  test(`${JSON.stringify(condition)} of ${JSON.stringify(event)}: ${expected}`, () => {
    assert.equal(compileCondition(condition)(context(event)), expected);
  });
}

test('the power that a notification needs is asked for by its kind', () => {
  const condition = compileCondition({ kind: 'sender_notification_permission', key: 'room' });
  const asked: string[] = [];
  const senderMayNotify = (kind: string) => asked.push(kind) === 0;
  assert.equal(condition(context({}, { senderMayNotify })), false);
  assert.deepEqual(asked, ['room']);
});

test('property paths', () => {
  const paths: [string, string[]][] = [
    ['content.body', ['content', 'body']],
    ['content.m\\.relates_to', ['content', 'm.relates_to']],
    ['content.m\\\\foo', ['content', 'm\\foo']],
    ['content.\\x', ['content', '\\x']],
    ['a\\\\.b', ['a\\', 'b']],
    ['a\\', ['a\\']],
    ['', ['']],
    ['a..b', ['a', '', 'b']],
  ];
  for (const [path, names] of paths) assert.deepEqual(parsePropertyPath(path), names, path);
  assert.equal(readProperty({ a: { '': { b: 1 } } }, ['a', '', 'b']), 1);
  assert.equal(readProperty([1], ['0']), undefined);
});

test('a rule about one type is tried with events of that type in whatever case, and content rules with all', () => {
  const conditions = [{ kind: 'event_match', key: 'type', pattern: 'm.poll.*' }];
  const ruleset = {
    override: [
      { rule_id: 'polls', enabled: true, conditions, actions: ['notify'] },
      {
        rule_id: 'calls',
        enabled: true,
        conditions: [{ kind: 'event_match', key: 'type', pattern: 'm.call.Invite' }],
        actions: ['notify'],
      },
      {
        rule_id: 'moods',
        enabled: true,
        conditions: [{ kind: 'event_match', key: 'type', pattern: 'org.mood' }],
        actions: ['notify'],
      },
    ],
    content: [
      {
        rule_id: 'word',
        enabled: true,
        pattern: 'word',
        conditions: [{ kind: 'event_match', key: 'type', pattern: 'x' }],
        actions: ['notify'],
      },
    ],
  };
  const idOf = (event: JsonObject) => evaluatePushRules(ruleset, context(event)).ruleId;
  assert.equal(idOf({ type: 'm.poll.start' }), 'polls');
  assert.equal(idOf({ type: 'M.CALL.INVITE' }), 'calls');
  assert.equal(idOf({ type: 'Org.Mood' }), 'moods');
  assert.equal(idOf({ type: 'org.moods' }), undefined);
  assert.equal(idOf(text('a word')), 'word');
});

test('a name is looked for once in a long text, however many rules ask for it', (t) => {
  const override = Array.from({ length: 20 }, (_, number) => ({
    rule_id: `rule ${number}`,
    enabled: true,
    conditions: [{ kind: 'contains_display_name' }],
    actions: ['notify'],
  }));
  const looks = t.mock.method(String.prototype, 'indexOf');
  assert.equal(verdict(text('a'.repeat(1_000)), { displayName: 'a' }, { override }), 'none: ');
  const { length } = looks.mock.calls.filter(({ arguments: [name] }) => name === 'a');
  assert.ok(length >= 1_000 && length < 2_000, `${length} looks`);
});
