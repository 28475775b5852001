import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PduJson } from './events/pdu.ts';
import type { JsonObject } from './json.ts';
import { redactContent, redactPdu } from './redaction.ts';
import type { RoomVersionId } from './roomversions/room-version.ts';
import { ROOM_VERSIONS, rulesOf } from './roomversions/table.ts';

/** Versions `from`…`to`, inclusive. */
function versions(from: number, to: number): RoomVersionId[] {
  return ROOM_VERSIONS.slice(from - 1, to);
}

const ALL_KEYS = Object.fromEntries(
  [
    ...['event_id', 'room_id', 'sender', 'state_key', 'hashes', 'signatures', 'depth'],
    ...['prev_events', 'prev_state', 'auth_events', 'origin', 'origin_server_ts', 'membership'],
    ...['redacts', 'unsigned', 'age', 'replaces_state', 'prev_content', 'foo'],
  ].map((key) => [key, key === 'depth' || key === 'origin_server_ts' ? 1 : {}]),
);
const EVENT = { ...ALL_KEYS, type: 'a', content: { body: 'b' } } as unknown as PduJson;
const KEPT_SINCE_11 = [
  ...['auth_events', 'content', 'depth', 'event_id', 'hashes', 'origin_server_ts', 'prev_events'],
  ...['room_id', 'sender', 'signatures', 'state_key', 'type'],
];
const KEPT_UNTIL_10 = [...KEPT_SINCE_11, 'origin', 'prev_state', 'membership'].sort();

for (const id of ROOM_VERSIONS) {
  test(`version ${id} keeps these keys at the top level`, () => {
    const redacted = redactPdu(EVENT, rulesOf(id));
    const kept = versions(1, 10).includes(id) ? KEPT_UNTIL_10 : KEPT_SINCE_11;
    assert.deepEqual(Object.keys(redacted).sort(), kept);
    assert.deepEqual(redacted.content, {});
  });
}

const POWER = {
  ...{ ban: 1, events: { a: 1 }, events_default: 1, kick: 1, redact: 1, state_default: 1 },
  ...{ users: { b: 1 }, users_default: 1 },
};

/** [type, versions, full content, redacted content] */
const CONTENT: [string, RoomVersionId[], JsonObject, JsonObject][] = [
  ['m.room.message', versions(1, 12), { body: 'b', membership: 'join' }, {}],
  ['m.room.topic', versions(1, 12), { topic: 't' }, {}],
  ['__proto__', versions(1, 12), { topic: 't' }, {}],
  [
    'm.room.member',
    versions(1, 12),
    { membership: 'join', displayname: 'd' },
    { membership: 'join' },
  ],
  [
    'm.room.member',
    versions(1, 8),
    { membership: 'join', join_authorised_via_users_server: '@a:b' },
    { membership: 'join' },
  ],
  [
    'm.room.member',
    versions(9, 12),
    { membership: 'join', join_authorised_via_users_server: '@a:b' },
    { membership: 'join', join_authorised_via_users_server: '@a:b' },
  ],
  [
    'm.room.member',
    versions(1, 10),
    { membership: 'invite', third_party_invite: { signed: { token: 't' }, display_name: 'd' } },
    { membership: 'invite' },
  ],
  [
    'm.room.member',
    versions(11, 12),
    { membership: 'invite', third_party_invite: { signed: { token: 't' }, display_name: 'd' } },
    { membership: 'invite', third_party_invite: { signed: { token: 't' } } },
  ],
  [
    'm.room.member',
    versions(11, 12),
    { membership: 'invite', third_party_invite: 'no object' },
    { membership: 'invite' },
  ],
  ['m.room.create', versions(1, 10), { creator: '@a:b', room_version: '1' }, { creator: '@a:b' }],
  [
    'm.room.create',
    versions(11, 12),
    { creator: '@a:b', room_version: '11', 'm.federate': false },
    { creator: '@a:b', room_version: '11', 'm.federate': false },
  ],
  ['m.room.join_rules', versions(1, 7), { join_rule: 'x', allow: [] }, { join_rule: 'x' }],
  [
    'm.room.join_rules',
    versions(8, 12),
    { join_rule: 'x', allow: [], y: 1 },
    { join_rule: 'x', allow: [] },
  ],
  ['m.room.power_levels', versions(1, 10), { ...POWER, invite: 1, notifications: {} }, POWER],
  [
    'm.room.power_levels',
    versions(11, 12),
    { ...POWER, invite: 1, notifications: {} },
    { ...POWER, invite: 1 },
  ],
  ['m.room.aliases', versions(1, 5), { aliases: ['#a:b'], c: 1 }, { aliases: ['#a:b'] }],
  ['m.room.aliases', versions(6, 12), { aliases: ['#a:b'] }, {}],
  [
    'm.room.history_visibility',
    versions(1, 12),
    { history_visibility: 'shared', a: 1 },
    { history_visibility: 'shared' },
  ],
  ['m.room.redaction', versions(1, 10), { redacts: '$a', reason: 'r' }, {}],
  ['m.room.redaction', versions(11, 12), { redacts: '$a', reason: 'r' }, { redacts: '$a' }],
];

for (const [type, ids, content, redacted] of CONTENT) {
  test(`${type} ${Object.keys(content)} in versions ${ids[0]} to ${ids.at(-1)}`, () => {
    for (const id of ids) {
      assert.deepEqual(redactContent({ type, content }, rulesOf(id)), redacted, `version ${id}`);
    }
  });
}

test('redaction is idempotent and does not change its input', () => {
  const frozen = Object.freeze({ ...EVENT, content: Object.freeze({ body: 'b' }) });
  for (const id of ROOM_VERSIONS) {
    const once = redactPdu(frozen, rulesOf(id));
    assert.deepEqual(redactPdu(once, rulesOf(id)), once);
  }
});

test('inherited properties are not taken for members', () => {
  const content = Object.create({ membership: 'join' });
  assert.deepEqual(redactContent({ type: 'm.room.member', content }, rulesOf('11')), {});
});
