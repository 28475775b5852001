import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../json.ts';
import * as content from './content.ts';

/** What no reader may stumble over. */
const ODD: JsonValue[] = [null, 1, true, '', [], {}, [null], { a: null }, '\0', '\ud800'];

const READERS: [string, (content: JsonObject | undefined) => unknown, string[]][] = [
  ['profile', content.readProfile, ['displayname', 'avatar_url']],
  ['join rule', content.readJoinRule, ['join_rule']],
  ['allowed rooms', content.readAllowedRooms, ['allow']],
  ['history visibility', content.readHistoryVisibility, ['history_visibility']],
  ['guest access', content.readGuestsCanJoin, ['guest_access']],
  ['canonical alias', content.readCanonicalAlias, ['alias', 'alt_aliases']],
  ['name', content.readRoomName, ['name']],
  ['topic', content.readTopic, ['topic']],
  ['avatar', content.readAvatarUrl, ['url']],
  ['create', content.readCreate, ['type', 'predecessor']],
  ['relation', content.readRelation, ['m.relates_to']],
];

for (const [name, read, keys] of READERS) {
  test(`${name}: what makes no sense counts as absent`, () => {
    const absent = read(undefined);
    assert.deepEqual(read({}), absent);
    for (const key of keys) {
      for (const odd of ODD) {
        // The empty string is a display name and a join rule like any other.
        if (odd === '' && ['displayname', 'avatar_url', 'join_rule'].includes(key)) continue;
        assert.deepEqual(read({ [key]: odd }), absent, `${key}: ${JSON.stringify(odd)}`);
      }
    }
  });
}

test('what is there is read', () => {
  assert.deepEqual(content.readProfile({ displayname: 'd', avatar_url: 'mxc://a/b' }), {
    displayname: 'd',
    avatarUrl: 'mxc://a/b',
  });
  assert.equal(content.readJoinRule({ join_rule: 'knock' }), 'knock');
  const allow = [
    { type: 'm.room_membership', room_id: '!a:b' },
    { type: 'x', room_id: '!c:d' },
    null,
  ];
  assert.deepEqual(content.readAllowedRooms({ allow }), ['!a:b']);
  for (const visibility of ['joined', 'invited', 'shared', 'world_readable']) {
    assert.equal(content.readHistoryVisibility({ history_visibility: visibility }), visibility);
  }
  assert.equal(content.readHistoryVisibility({ history_visibility: 'constructor' }), 'shared');
  assert.equal(content.readGuestsCanJoin({ guest_access: 'can_join' }), true);
  assert.deepEqual(content.readCanonicalAlias({ alias: '#a:b', alt_aliases: ['#c:d', 'x', 1] }), {
    alias: '#a:b',
    altAliases: ['#c:d'],
  });
  assert.equal(content.readRoomName({ name: 'n' }), 'n');
});

test('m.room.create', () => {
  assert.deepEqual(content.readCreate({}), {
    roomVersion: '1',
    roomType: undefined,
    federate: true,
    predecessor: undefined,
  });
  const full = {
    room_version: '11',
    type: 'm.space',
    'm.federate': false,
    predecessor: { room_id: '!a:b' },
  };
  assert.deepEqual(content.readCreate(full), {
    roomVersion: '11',
    roomType: 'm.space',
    federate: false,
    predecessor: '!a:b',
  });
  assert.equal(content.readCreate({ room_version: 1 }).roomVersion, undefined);
});

test('relations and replies', () => {
  const relation = { rel_type: 'm.annotation', event_id: '$a', key: '👍' };
  assert.deepEqual(content.readRelation({ 'm.relates_to': relation }), {
    relType: 'm.annotation',
    eventId: '$a',
    key: '👍',
  });
  const reply = { 'm.relates_to': { 'm.in_reply_to': { event_id: '$a' } } };
  assert.equal(content.readRelation(reply), undefined);
});
