import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, parseJsonExactly } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { ROOM_VERSIONS, rulesOf } from '../roomversions/table.ts';
import { checkPduFormat } from './format.ts';
import { MAX_EVENT_BYTES } from './limits.ts';

const HASH_ID = `$${'a'.repeat(43)}`;
const DOMAINLESS = `!${'a'.repeat(43)}`;

function valid(version: RoomVersionId): JsonObject {
  const { eventFormat, roomIdIsCreateEventId } = rulesOf(version);
  const reference = eventFormat === 'v1' ? ['$a:b', { sha256: 'x' }] : HASH_ID;
  return {
    type: 'm.room.message',
    sender: '@a:b',
    room_id: roomIdIsCreateEventId ? DOMAINLESS : '!a:b:8448',
    ...(eventFormat === 'v1' ? { event_id: '$a:b' } : {}),
    content: { body: 'hi' },
    depth: 1,
    origin_server_ts: 1_700_000_000_000,
    prev_events: [reference],
    auth_events: [reference],
    hashes: { sha256: 'x' },
    signatures: { b: { 'ed25519:1': 'x' } },
  };
}

function without(event: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== key)) as JsonObject;
}

for (const version of ROOM_VERSIONS) {
  const rules = rulesOf(version);
  const event = valid(version);
  const refused = (change: JsonObject, errcode = 'M_BAD_JSON') =>
    assert.throws(
      () => checkPduFormat({ ...event, ...change }, rules),
      { errcode },
      JSON.stringify(change).slice(0, 80),
    );
  const taken = (change: JsonObject) =>
    assert.doesNotThrow(() => checkPduFormat({ ...event, ...change }, rules));

  test(`version ${version} takes a valid event and drops its unsigned`, () => {
    assert.deepEqual(checkPduFormat({ ...event, unsigned: { age: 1.5 } }, rules), event);
    taken({ state_key: '', extra: { a: [null] } });
    taken({ signatures: {}, prev_events: [], auth_events: [] });
    taken({ content: { nul: '\0' } });
  });

  test(`version ${version} refuses an event that lacks what is required`, () => {
    for (const key of Object.keys(event)) {
      assert.throws(
        () => checkPduFormat(without(event, key), rules),
        { errcode: 'M_BAD_JSON' },
        key,
      );
    }
    for (const other of [null, 1, 'a', [], undefined]) {
      assert.throws(() => checkPduFormat(other, rules), { errcode: 'M_BAD_JSON' });
    }
  });

  test(`version ${version} refuses wrong types`, () => {
    for (const key of Object.keys(event)) {
      for (const wrong of [null, true, key === 'depth' ? 'a' : 1.5]) refused({ [key]: wrong });
    }
    for (const stateKey of [null, 1, {}, '\0', '\udfff']) refused({ state_key: stateKey });
    refused({ type: 'a\0' });
    refused({ hashes: {} });
    refused({ hashes: { sha256: 1 } });
    refused({ signatures: { b: 'x' } });
    refused({ signatures: { b: { 'ed25519:1': null } } });
  });

  test(`version ${version} refuses identifiers of the wrong form`, () => {
    for (const sender of ['', 'a:b', '@a', '@a:b_c', `@${'a'.repeat(260)}:b`]) refused({ sender });
    for (const roomId of ['', 'a:b', '!a', '#a:b']) refused({ room_id: roomId });
    refused({ room_id: rules.roomIdIsCreateEventId ? '!a:b' : DOMAINLESS });
    if (rules.eventFormat === 'v1') for (const id of ['$a', 'a:b', '']) refused({ event_id: id });
  });

  test(`version ${version}: sizes`, () => {
    taken({ type: 'a'.repeat(255), state_key: 'é'.repeat(127) });
    refused({ type: 'é'.repeat(128) }, 'M_TOO_LARGE');
    refused({ state_key: 'a'.repeat(256) }, 'M_TOO_LARGE');
    const room = MAX_EVENT_BYTES - JSON.stringify({ ...event, content: { body: '' } }).length;
    taken({ content: { body: 'x'.repeat(room) } });
    taken({ content: { body: 'x'.repeat(room) }, unsigned: { a: 'x'.repeat(100_000) } });
    refused({ content: { body: 'x'.repeat(room + 1) } }, 'M_TOO_LARGE');
    refused({ content: { body: 'é'.repeat(room / 2 + 1) } }, 'M_TOO_LARGE');
  });

  test(`version ${version}: at most 20 prev_events and 10 auth_events, all references`, () => {
    const reference = (event.prev_events as readonly string[])[0] ?? '';
    taken({ prev_events: Array(20).fill(reference), auth_events: Array(10).fill(reference) });
    refused({ prev_events: Array(21).fill(reference) });
    refused({ auth_events: Array(11).fill(reference) });
    const otherForm = rules.eventFormat === 'v1' ? HASH_ID : ['$a:b', { sha256: 'x' }];
    for (const wrong of [otherForm, null, 1, '', 'a', [], {}]) {
      refused({ prev_events: [reference, wrong] as never });
      refused({ auth_events: [wrong] as never });
    }
  });

  test(`version ${version}: depth and numbers`, () => {
    taken({ depth: 0 });
    taken({ depth: Number.MAX_SAFE_INTEGER });
    refused({ depth: -1 });
    const text = (change: string) => JSON.stringify(event).replace('"depth":1', change);
    const check = (change: string) => checkPduFormat(parseJsonExactly(text(change)), rules);
    const big = '"depth":9223372036854775807';
    const float = '"depth":1,"extra":[1.0,1e400]';
    const never = ['"depth":9223372036854775808', '"depth":1.0', '"depth":-0', '"depth":1e5'];
    for (const change of never)
      assert.throws(() => check(change), { errcode: 'M_BAD_JSON' }, change);
    for (const change of [big, float]) {
      if (rules.strictCanonicalJson) assert.throws(() => check(change), { errcode: 'M_BAD_JSON' });
      else assert.equal(JSON.stringify(check(change)), text(change));
    }
  });

  test(`version ${version}: room_id of m.room.create`, () => {
    const create = { ...without(event, 'room_id'), type: 'm.room.create', state_key: '' };
    const isFree = rules.roomIdIsCreateEventId;
    const withId = { ...create, room_id: event.room_id };
    assert.doesNotThrow(() => checkPduFormat(isFree ? create : withId, rules));
    assert.throws(() => checkPduFormat(isFree ? withId : create, rules), { errcode: 'M_BAD_JSON' });
  });
}
