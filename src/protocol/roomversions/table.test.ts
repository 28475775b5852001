import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomVersionRules } from './room-version.ts';
import { isRoomVersion, ROOM_VERSIONS, rulesOf } from './table.ts';

test('versions 1 to 12 are known, nothing else is', () => {
  assert.deepEqual(ROOM_VERSIONS, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']);
  for (const id of ROOM_VERSIONS) assert.equal(rulesOf(id).id, id);
  for (const other of ['0', '13', '', '1.0', 'org.matrix.msc2176', '__proto__', 1, undefined]) {
    assert.equal(isRoomVersion(other), false);
  }
});

/** The first version with a property's last value, for properties that change once. */
const CHANGES: Partial<Record<keyof RoomVersionRules, number>> = {
  strictCanonicalJson: 6,
  maxDepth: 6,
  enforceKeyValidity: 5,
  specialAliasesEvents: 6,
  checkNotificationLevels: 6,
  redactionsCheckedOnApplication: 3,
  knocking: 7,
  restrictedJoins: 8,
  knockRestricted: 10,
  integerPowerLevels: 10,
  redactionKeepsAuthorisedVia: 9,
  redactionKeepsAllow: 8,
  updatedRedaction: 11,
  redactsInContent: 11,
  implicitCreator: 11,
  privilegedCreators: 12,
  roomIdIsCreateEventId: 12,
};

for (const [name, version] of Object.entries(CHANGES) as [keyof RoomVersionRules, number][]) {
  test(`${name} changes in version ${version} and never again`, () => {
    const values = ROOM_VERSIONS.map((id) => rulesOf(id)[name]);
    const changed = values.findIndex((value) => value !== values[0]);
    assert.equal(changed + 1, version);
    assert.equal(new Set(values.slice(changed)).size, 1);
  });
}

test('event formats and state resolution', () => {
  const of = (name: 'eventFormat' | 'stateResolution') =>
    ROOM_VERSIONS.map((id) => rulesOf(id)[name]);
  assert.deepEqual(of('eventFormat'), ['v1', 'v1', 'v3', ...Array(9).fill('v4')]);
  assert.deepEqual(of('stateResolution'), ['v1', ...Array(10).fill('v2'), 'v2.1']);
});
