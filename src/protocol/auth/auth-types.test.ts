import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json.ts';
import { ROOM_VERSIONS, rulesOf } from '../roomversions/table.ts';
import { authTypesFor } from './auth-types.ts';

const SENDER = '@a:home.org';
const TARGET = '@b:home.org';
const BASE = ['m.room.power_levels|', `m.room.member|${SENDER}`];

function select(type: string, stateKey: string | undefined, content: JsonObject): string[][] {
  return ROOM_VERSIONS.map((id) => {
    const tuples = authTypesFor({ type, stateKey, sender: SENDER, content }, rulesOf(id));
    return tuples.map((tuple) => `${tuple.type}|${tuple.stateKey}`).sort();
  });
}

/** The same in all versions, but for m.room.create, which version 12 implies. */
function assertSelects(actual: string[][], expected: readonly string[]): void {
  for (const [i, tuples] of actual.entries()) {
    const create = i === 11 ? [] : ['m.room.create|'];
    assert.deepEqual(tuples, [...create, ...expected].sort(), `room version ${i + 1}`);
  }
}

test('m.room.create is authorized by nothing', () => {
  for (const tuples of select('m.room.create', '', {})) assert.deepEqual(tuples, []);
});

test('all else is authorized by create, power levels and the membership of the sender', () => {
  assertSelects(select('m.room.message', undefined, { membership: 'join' }), BASE);
  assertSelects(select('m.room.topic', '', {}), BASE);
});

test('a membership is authorized by the membership of its target as well', () => {
  assertSelects(select('m.room.member', TARGET, { membership: 'ban' }), [
    ...BASE,
    `m.room.member|${TARGET}`,
  ]);
  assertSelects(select('m.room.member', SENDER, { membership: 'leave' }), BASE);
});

test('who wants in is authorized by the join rules as well', () => {
  for (const membership of ['join', 'knock']) {
    assertSelects(select('m.room.member', SENDER, { membership }), [...BASE, 'm.room.join_rules|']);
  }
});

test('a redeemed third-party invite is authorized by that as well', () => {
  const invited = [...BASE, `m.room.member|${TARGET}`, 'm.room.join_rules|'];
  const redeemed = { membership: 'invite', third_party_invite: { signed: { token: 'abc' } } };
  assertSelects(select('m.room.member', TARGET, redeemed), [
    ...invited,
    'm.room.third_party_invite|abc',
  ]);
  for (const third_party_invite of [null, {}, { signed: [] }, { signed: { token: 1 } }]) {
    assertSelects(
      select('m.room.member', TARGET, { membership: 'invite', third_party_invite }),
      invited,
    );
  }
});

test('a restricted join is authorized by the member who vouches for it, where there is such', () => {
  const selectVia = (via: string) =>
    select('m.room.member', SENDER, { membership: 'join', join_authorised_via_users_server: via });
  for (const [i, tuples] of selectVia(TARGET).entries()) {
    assert.equal(tuples.includes(`m.room.member|${TARGET}`), i + 1 >= 8, `room version ${i + 1}`);
  }
  assertSelects(selectVia(SENDER), [...BASE, 'm.room.join_rules|']);
  const content = { membership: 'join', join_authorised_via_users_server: TARGET };
  assertSelects(select('m.room.member', TARGET, content), [
    ...BASE,
    `m.room.member|${TARGET}`,
    'm.room.join_rules|',
  ]);
});
