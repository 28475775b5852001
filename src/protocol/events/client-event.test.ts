import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventId, parseRoomId, parseServerName, parseUserId } from '../identifiers.ts';
import type { JsonValue } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { ROOM_VERSIONS, rulesOf } from '../roomversions/table.ts';
import { generateSigningKey } from '../signing-key.ts';
import { buildPdu, type NewPdu } from './build.ts';
import { formatClientEvent } from './client-event.ts';
import { pruneStrippedEvent, stripEvent } from './stripped-state.ts';

const signingKey = generateSigningKey();

function build(version: RoomVersionId, differences: Partial<NewPdu>) {
  return buildPdu({
    rules: rulesOf(version),
    roomId: parseRoomId(version === '12' ? `!${'a'.repeat(43)}` : '!a:b'),
    sender: parseUserId('@a:b'),
    type: 'm.room.message',
    content: { body: 'hi' },
    prevEvents: [],
    authEvents: [],
    depth: 1,
    originServerTs: 5,
    serverName: parseServerName('b'),
    signingKey,
    ...differences,
  });
}

test('clients get their keys and no others', () => {
  const pdu = build('11', {});
  const base = {
    type: 'm.room.message',
    sender: '@a:b',
    content: { body: 'hi' },
    event_id: pdu.eventId,
    origin_server_ts: 5,
  };
  assert.deepEqual(formatClientEvent(pdu, { withRoomId: false }), base);
  assert.deepEqual(formatClientEvent(pdu, { withRoomId: false, unsigned: {} }), base);
  assert.deepEqual(formatClientEvent(pdu, { withRoomId: true, unsigned: { age: 1 } }), {
    ...base,
    room_id: '!a:b',
    unsigned: { age: 1 },
  });
  const record = JSON.parse(JSON.stringify(pdu));
  assert.deepEqual(formatClientEvent(record, { withRoomId: false }), base);
});

test('state keys are there exactly for state, even when empty', () => {
  const state = formatClientEvent(build('12', { stateKey: '' }), { withRoomId: true });
  assert.equal(state.state_key, '');
  assert.equal('state_key' in formatClientEvent(build('12', {}), { withRoomId: true }), false);
});

test('the create event of version 12 is shown with its room', () => {
  const create = build('12', { type: 'm.room.create', stateKey: '', roomId: undefined });
  const shown = formatClientEvent(create, { withRoomId: true });
  assert.equal(shown.room_id, `!${create.eventId.slice(1)}`);
});

for (const version of ROOM_VERSIONS) {
  test(`version ${version} shows redacts at the top level and in content`, () => {
    const redaction = {
      type: 'm.room.redaction',
      redacts: '$r' as EventId,
      content: { reason: 'x' },
    };
    const pdu = build(version, redaction);
    const shown = formatClientEvent(pdu, { withRoomId: false });
    assert.equal(shown.redacts, '$r');
    assert.deepEqual(shown.content, { reason: 'x', redacts: '$r' });
    assert.equal(pdu.json.redacts === undefined, rulesOf(version).redactsInContent);
  });
}

test('stripped state has four properties, made here or taken from others', () => {
  const pdu = build('11', { type: 'm.room.name', stateKey: '', content: { name: 'n' } });
  const stripped = { type: 'm.room.name', state_key: '', sender: '@a:b', content: { name: 'n' } };
  assert.deepEqual(stripEvent(pdu), stripped);
  assert.deepEqual(pruneStrippedEvent(pdu.json), stripped);
  const bad: JsonValue[] = [
    null,
    'a',
    [],
    {},
    { ...stripped, sender: 'a' },
    { ...stripped, type: 1 },
  ];
  for (const other of [
    ...bad,
    { ...stripped, content: [] },
    { ...stripped, state_key: '\0' },
    undefined,
  ]) {
    assert.equal(pruneStrippedEvent(other), undefined);
  }
});
