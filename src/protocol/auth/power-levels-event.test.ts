import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, parseJsonExactly } from '../json.ts';
import { ROOM_VERSIONS } from '../roomversions/table.ts';
import {
  CREATOR,
  MEMBER,
  MODERATOR,
  type RuleCase,
  ruleOf,
  STRANGER,
  TestRoom,
  testRules,
} from './test-room.ts';

const levels = (content: JsonObject, sender = MODERATOR) => ({
  type: 'm.room.power_levels',
  stateKey: '',
  sender,
  content,
});

/** What stands in the room; moderators may change levels. */
const BASE: JsonObject = {
  users: { [MODERATOR]: 50 },
  events: { 'm.room.power_levels': 50 },
};
const standing = (content: JsonObject) => (room: TestRoom) => {
  room.setLevels({ ...BASE, ...content });
};
const ALLOWED = { '1-12': 'allowed' };
const at = (old: string, v6: string, v10: string, v12: string) => ({
  '1-5': `10.${old}`,
  '6-9': `9.${v6}`,
  '10-11': `9.${v10}`,
  '12': `10.${v12}`,
});
/** A form that only versions from 10 on insist on; before, the value counts as one above the sender. */
const malformed = (before: string, now: string) => ({
  '1-5': `10.${before}`,
  '6-9': `9.${before}`,
  '10-11': `9.${now}`,
  '12': `10.${now}`,
});

const FORM: readonly RuleCase[] = [
  ...['x', '1.5', null, [1], {}].map((value) => ({
    name: `ban of ${JSON.stringify(value)} is refused`,
    state: standing({}),
    event: levels({ ...BASE, ban: value }),
    verdict: malformed('3.2', '1'),
  })),
  {
    name: 'a level in a text is refused from version 10 on',
    state: standing({}),
    event: levels({ ...BASE, ban: '50' }),
    verdict: { '1-9': 'allowed', '10-11': '9.1', '12': '10.1' },
  },
  ...['x', [], null, { 'm.room.name': 'x' }, { 'm.room.name': null }].map((events) => ({
    name: `events of ${JSON.stringify(events)} are refused`,
    state: standing({}),
    event: levels({ users: BASE.users, events }),
    verdict: malformed('5.1', '2'),
  })),
  ...['x', { room: [] }].map((notifications) => ({
    name: `notifications of ${JSON.stringify(notifications)} are refused where they are looked at`,
    state: standing({}),
    event: levels({ ...BASE, notifications }),
    verdict: { '1-5': 'allowed', '6-9': '9.5.1', '10-11': '9.2', '12': '10.2' },
  })),
  ...['x', [], null, { [MEMBER]: 'x' }, { [MEMBER]: null }, { member: 1 }, { '': 1 }].map(
    (users) => ({
      name: `users of ${JSON.stringify(users)} are refused`,
      state: standing({}),
      event: levels({ events: BASE.events, users }),
      verdict: at('1', '1', '3', '3'),
    }),
  ),
  {
    name: 'users with a level in a text are refused from version 10 on',
    state: standing({}),
    event: levels({ ...BASE, users: { [MODERATOR]: '50' } }),
    verdict: { '1-9': 'allowed', '10-11': '9.3', '12': '10.3' },
  },
  {
    name: 'other properties may be anything',
    state: standing({}),
    event: levels({ ...BASE, 'org.example.extra': ['x'] }),
    verdict: ALLOWED,
  },
  {
    name: 'the form of the first power levels is checked as well',
    state: (room) => room.unset('m.room.power_levels', ''),
    event: levels({ users: { [MEMBER]: 'x' } }, CREATOR),
    verdict: at('1', '1', '3', '3'),
  },
  {
    name: 'the first power levels may hold any level',
    state: (room) => room.unset('m.room.power_levels', ''),
    event: levels({ users: { [MEMBER]: 1000 }, ban: 1000 }, CREATOR),
    verdict: ALLOWED,
  },
  {
    name: 'privileged creators have no entry',
    event: levels({ users: { [CREATOR]: 100 } }, CREATOR),
    verdict: { '1-11': 'allowed', '12': '10.4' },
  },
];

const PROPERTY: readonly RuleCase[] = [
  ...[
    'users_default',
    'events_default',
    'state_default',
    'ban',
    'redact',
    'kick',
    'invite',
  ].flatMap((property): RuleCase[] => [
    {
      name: `${property} may be set up to the own level`,
      state: standing({}),
      event: levels({ ...BASE, [property]: 50 }),
      verdict: ALLOWED,
    },
    {
      name: `${property} may not be set above the own level`,
      state: standing({}),
      event: levels({ ...BASE, [property]: 51 }),
      verdict: at('3.2', '3.2', '5.2', '6.2'),
    },
    {
      name: `${property} may not be changed from above the own level`,
      state: standing({ [property]: 51 }),
      event: levels({ ...BASE, [property]: 0 }),
      verdict:
        property === 'users_default'
          ? { '1-5': '10.3.1', '6-9': '9.3.1', '10-11': '9.5.1', '12': '10.6.1' }
          : at('3.1', '3.1', '5.1', '6.1'),
    },
    {
      name: `${property} may not be removed from above the own level`,
      state: standing({ [property]: 51 }),
      event: levels(BASE),
      verdict: at('3.1', '3.1', '5.1', '6.1'),
    },
    {
      name: `${property} may stay above the own level`,
      state: standing({ [property]: 51 }),
      event: levels({ ...BASE, [property]: 51 }),
      verdict: ALLOWED,
    },
  ]),
  {
    name: 'the same level in another spelling is no change',
    state: standing({ ban: 51, events: { 'm.room.power_levels': 50, a: 51 } }),
    event: levels({ ...BASE, ban: ' +51', events: { 'm.room.power_levels': '50', a: '051' } }),
    verdict: { '1-9': 'allowed', '10-11': '9.1', '12': '10.1' },
  },
  {
    name: 'a property that is absent counts by its default: who is below cannot lower it',
    state: standing({ users: { [MODERATOR]: 40 }, events: { 'm.room.power_levels': 40 } }),
    event: levels({
      users: { [MODERATOR]: 40 },
      events: { 'm.room.power_levels': 40 },
      ban: 30,
    }),
    verdict: at('3.1', '3.1', '5.1', '6.1'),
  },
];

const events = (more: JsonObject) => ({ 'm.room.power_levels': 50, ...more });
const ENTRIES: readonly RuleCase[] = [
  {
    name: 'an entry may be added up to the own level',
    state: standing({}),
    event: levels({ ...BASE, events: events({ a: 50 }) }),
    verdict: ALLOWED,
  },
  {
    name: 'an entry may not be added above the own level',
    state: standing({}),
    event: levels({ ...BASE, events: events({ a: 51 }) }),
    verdict: at('5.1', '5.1', '7.1', '8.1'),
  },
  {
    name: 'an entry may not be raised above the own level',
    state: standing({ events: events({ a: 50 }) }),
    event: levels({ ...BASE, events: events({ a: 51 }) }),
    verdict: at('5.1', '5.1', '7.1', '8.1'),
  },
  {
    name: 'an entry may not be lowered from above the own level',
    state: standing({ events: events({ a: 51 }) }),
    event: levels({ ...BASE, events: events({ a: 50 }) }),
    verdict: at('4.1', '4.1', '6.1', '7.1'),
  },
  {
    name: 'an entry may not be removed from above the own level',
    state: standing({ events: events({ a: 51 }) }),
    event: levels({ users: BASE.users }),
    verdict: at('4.1', '4.1', '6.1', '7.1'),
  },
  {
    name: 'an entry may stay above the own level',
    state: standing({ events: events({ a: 51 }) }),
    event: levels({ ...BASE, events: events({ a: 51 }) }),
    verdict: ALLOWED,
  },
  {
    name: 'notifications may not be raised above the own level from version 6 on',
    state: standing({}),
    event: levels({ ...BASE, notifications: { room: 51 } }),
    verdict: { '1-5': 'allowed', '6-9': '9.5.1', '10-11': '9.7.1', '12': '10.8.1' },
  },
  {
    name: 'notifications may not be removed from above the own level from version 6 on',
    state: standing({ notifications: { room: 51 } }),
    event: levels(BASE),
    verdict: { '1-5': 'allowed', '6-9': '9.4.1', '10-11': '9.6.1', '12': '10.7.1' },
  },
];

const USERS: readonly RuleCase[] = [
  {
    name: 'a user may be raised to the own level',
    state: standing({}),
    event: levels({ ...BASE, users: { [MODERATOR]: 50, [MEMBER]: 50 } }),
    verdict: ALLOWED,
  },
  {
    name: 'a user may not be raised above the own level',
    state: standing({}),
    event: levels({ ...BASE, users: { [MODERATOR]: 50, [MEMBER]: 51 } }),
    verdict: at('7.1', '7.1', '9.1', '10.1'),
  },
  {
    name: 'nobody raises themselves',
    state: standing({}),
    event: levels({ ...BASE, users: { [MODERATOR]: 51 } }),
    verdict: at('7.1', '7.1', '9.1', '10.1'),
  },
  {
    name: 'who has the same level is not changed',
    state: standing({ users: { [MODERATOR]: 50, [MEMBER]: 50 } }),
    event: levels({ ...BASE, users: { [MODERATOR]: 50, [MEMBER]: 49 } }),
    verdict: at('6.1', '6.1', '8.1', '9.1'),
  },
  {
    name: 'who has the same level is not removed',
    state: standing({ users: { [MODERATOR]: 50, [MEMBER]: 50 } }),
    event: levels({ events: BASE.events, users: { [MODERATOR]: 50 } }),
    verdict: at('6.1', '6.1', '8.1', '9.1'),
  },
  {
    name: 'users is removed as a whole only by who is above all in it',
    state: standing({ users: { [MODERATOR]: 50, [MEMBER]: 50 } }),
    event: levels({ events: BASE.events }),
    verdict: at('6.1', '6.1', '8.1', '9.1'),
  },
  {
    name: 'who is below may be lowered',
    state: standing({ users: { [MODERATOR]: 50, [MEMBER]: 49 } }),
    event: levels(BASE),
    verdict: ALLOWED,
  },
  {
    name: 'everybody may step down',
    state: standing({}),
    event: levels({ ...BASE, users: {} }),
    verdict: ALLOWED,
  },
  {
    name: 'the default level of users counts as the own',
    state: standing({ users: {}, users_default: 50 }),
    event: levels({ ...BASE, users_default: 50, users: { [MEMBER]: 51 } }, MEMBER),
    verdict: at('7.1', '7.1', '9.1', '10.1'),
  },
];

testRules([...FORM, ...PROPERTY, ...ENTRIES, ...USERS]);

test('privileged creators, additional ones too, may change anything but have no entry', () => {
  const create = () => new TestRoom('12', { additional_creators: [MEMBER] });
  const room = create();
  room.setMembership(MEMBER, 'join');
  room.setLevels({ users: { [MODERATOR]: 2 ** 53 - 1 }, ban: 2 ** 53 - 1 });
  assert.equal(ruleOf(room.authorize(levels({ ban: 0 }, MEMBER))), 'allowed');
  for (const user of [CREATOR, MEMBER]) {
    assert.equal(ruleOf(room.authorize(levels({ users: { [user]: 0 } }, MEMBER))), '10.4');
  }
});

test('levels that no double can hold are refused where floats are taken', () => {
  for (const version of ROOM_VERSIONS.slice(0, 5)) {
    for (const text of ['1e400', '-1e400']) {
      const room = TestRoom.furnished(version);
      const users = parseJsonExactly(`{"${STRANGER}":${text}}`) as JsonObject;
      assert.equal(ruleOf(room.authorize(levels({ users }, CREATOR))), '10.1');
    }
    const room = TestRoom.furnished(version);
    const users = parseJsonExactly(`{"${STRANGER}":100.9,"${CREATOR}":100}`) as JsonObject;
    assert.equal(ruleOf(room.authorize(levels({ users }, CREATOR))), 'allowed');
  }
});
