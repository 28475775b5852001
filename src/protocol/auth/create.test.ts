import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json.ts';
import {
  CREATOR,
  type EventSpec,
  type RuleCase,
  ruleOf,
  TestRoom,
  testRules,
  versionsIn,
} from './test-room.ts';

const create = (spec: Partial<EventSpec>): EventSpec => ({
  type: 'm.room.create',
  stateKey: '',
  content: { creator: CREATOR },
  ...spec,
});
const withContent = (content: JsonObject) => create({ content: { creator: CREATOR, ...content } });

const CASES: readonly RuleCase[] = [
  { name: 'm.room.create is allowed', event: create({}), verdict: { '1-12': 'allowed' } },
  {
    name: 'm.room.create without a creator is refused where it has to name one',
    event: create({ content: {} }),
    verdict: { '1-10': '1.4', '11-12': 'allowed' },
  },
  {
    name: 'm.room.create with previous events is refused',
    event: create({ prev: ['$a:home.org'] }),
    verdict: { '1-12': '1.1' },
  },
  {
    name: 'm.room.create on another server is refused, and with any room ID where that is a hash',
    event: create({ roomId: '!room:home.org:8448' }),
    verdict: { '1-12': '1.2' },
  },
  {
    name: 'm.room.create with a room ID of the sender',
    event: create({ roomId: '!room:home.org' }),
    verdict: { '1-11': 'allowed', '12': '1.2' },
  },
  {
    name: 'a room version that is not known is refused',
    event: withContent({ room_version: 'org.example.made-up' }),
    verdict: { '1-12': '1.3' },
  },
  {
    name: 'a room version that is no text is refused',
    event: withContent({ room_version: 1 }),
    verdict: { '1-12': '1.3' },
  },
  {
    name: 'additional creators are a list of user IDs',
    event: withContent({ additional_creators: ['@a:home.org', '@b:away.org'] }),
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'additional creators that are no user IDs are refused',
    event: withContent({ additional_creators: ['@a:home.org', 'b'] }),
    verdict: { '1-11': 'allowed', '12': '1.4' },
  },
  {
    name: 'additional creators that are no list are refused',
    event: withContent({ additional_creators: '@a:home.org' }),
    verdict: { '1-11': 'allowed', '12': '1.4' },
  },
];

testRules(CASES);

test('every event needs the accepted m.room.create of its room', () => {
  const numbers = { '1-11': '2.4', '12': '2' };
  for (const [range, expected] of Object.entries(numbers)) {
    for (const version of versionsIn(range)) {
      const room = TestRoom.furnished(version);
      const other = { type: 'm.room.message', roomId: '!other:home.org' };
      assert.equal(ruleOf(room.authorize(other)), expected);
      room.unset('m.room.create', '');
      assert.equal(ruleOf(room.authorize({ type: 'm.room.message' })), expected);
    }
  }
});
