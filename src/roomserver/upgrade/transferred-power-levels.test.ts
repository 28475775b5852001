import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../protocol/json.ts';
import { rawNumber } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import { transferredPowerLevels } from './transferred-power-levels.ts';

const ALICE = '@alice:here.test';
const BOB = '@bob:here.test';
const CAROL = '@carol:here.test';

function transfer(
  content: JsonObject | undefined,
  versions: readonly [RoomVersionId, RoomVersionId],
  more: { types?: string[]; creators?: string[]; additionalCreators?: string[] } = {},
) {
  const [from, to] = versions;
  const { types = ['m.room.name'], creators = [ALICE], additionalCreators = [] } = more;
  const old = { content, rules: rulesOf(from), creators };
  return transferredPowerLevels({
    old,
    rules: rulesOf(to),
    creator: ALICE,
    additionalCreators,
    types,
  });
}

test('levels stay as they are where nothing is in the way', () => {
  const content = { users: { [ALICE]: 100, [BOB]: 500 }, events: { 'a.b': 7 }, 'x.y': { z: 1 } };
  assert.deepEqual(transfer(content, ['10', '11']), { first: content });
  assert.deepEqual(transfer({ users: { [ALICE]: '100' } }, ['1', '2']), {
    first: { users: { [ALICE]: '100' } },
  });
});

test('who has too little to send what is copied has enough at first', () => {
  const content = {
    users: { [ALICE]: 50, [BOB]: 100 },
    events: { 'm.room.tombstone': 50, 'm.room.power_levels': 90, 'm.room.name': 95 },
  };
  assert.deepEqual(transfer(content, ['10', '11']), {
    first: { ...content, users: { [ALICE]: 95, [BOB]: 100 } },
    last: content,
  });
  const low = { users: { [ALICE]: 50 }, state_default: 50, ban: 60 };
  assert.equal((transfer(low, ['10', '11']).first.users as JsonObject)[ALICE], 60);
  const open = { users_default: 60, state_default: 50 };
  assert.deepEqual(transfer(open, ['10', '11']), { first: { users: {}, ...open } });
});

test('a room without levels gets such by which its owner has power', () => {
  assert.deepEqual(transfer(undefined, ['10', '11']), { first: { users: { [ALICE]: 100 } } });
  assert.deepEqual(transfer(undefined, ['10', '12']), { first: { users: {} } });
});

test('what reads as an integer becomes one where it has to be one, and nonsense goes', () => {
  const content = {
    users: { [ALICE]: ' +100 ', [BOB]: 'x', [CAROL]: rawNumber('1.5') as never },
    users_default: '3',
    invite: 'none',
    events: { 'm.room.name': '50' },
    notifications: { room: '20', other: null },
    kick: 40,
  };
  assert.deepEqual(transfer(content, ['6', '11']).first, {
    users: { [ALICE]: 100, [CAROL]: 1 },
    users_default: 3,
    events: { 'm.room.name': 50 },
    notifications: { room: 20 },
    kick: 40,
  });
});

test('creators are not listed where they have their power by having created', () => {
  const content = { users: { [ALICE]: 100, [BOB]: 100, [CAROL]: 50 } };
  assert.deepEqual(transfer(content, ['11', '12']).first.users, { [BOB]: 100, [CAROL]: 50 });
  const more = { additionalCreators: [BOB] };
  assert.deepEqual(transfer(content, ['11', '12'], more).first.users, { [CAROL]: 50 });
});

test('creators who had their power by having created get a level', () => {
  const content = { users: { [CAROL]: 50 }, events: { 'm.room.tombstone': 150 } };
  const { first, last } = transfer(content, ['12', '11'], { creators: [ALICE, BOB] });
  assert.deepEqual(first.users, { [ALICE]: 150, [BOB]: 150, [CAROL]: 50 });
  assert.equal(last, undefined);
});
