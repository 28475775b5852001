import {
  CREATOR,
  FOREIGNER,
  MEMBER,
  MODERATOR,
  type RuleCase,
  STRANGER,
  type TestRoom,
  testRules,
} from './test-room.ts';

const localOnly = (room: TestRoom) => {
  const content = { 'm.federate': false, creator: CREATOR };
  // The same event id: in room version 12 it is the room ID.
  room.set({ id: room.create.eventId, type: 'm.room.create', stateKey: '', content });
  room.setMembership(FOREIGNER, 'join');
};

const CASES: readonly RuleCase[] = [
  {
    name: 'a member may send messages',
    event: { type: 'm.room.message', sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'people of other servers may send messages',
    state: (room) => room.setMembership(FOREIGNER, 'join'),
    event: { type: 'm.room.message', sender: FOREIGNER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'a room with m.federate false is closed to other servers',
    state: localOnly,
    event: { type: 'm.room.message', sender: FOREIGNER },
    verdict: { '1-11': '3', '12': '4' },
  },
  {
    name: 'a room with m.federate false cannot be joined from other servers',
    state: localOnly,
    event: {
      type: 'm.room.member',
      stateKey: FOREIGNER,
      sender: FOREIGNER,
      content: { membership: 'join' },
    },
    verdict: { '1-11': '3', '12': '4' },
  },
  {
    name: 'a room with m.federate false is open to its own server',
    state: localOnly,
    event: { type: 'm.room.message', sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'a stranger sends nothing',
    event: { type: 'm.room.message', sender: STRANGER },
    verdict: { '1-5': '6', '6-11': '5', '12': '6' },
  },
  ...['leave', 'invite', 'ban', 'knock'].map((membership) => ({
    name: `who has the membership ${membership} sends nothing`,
    state: (room: TestRoom) => room.setMembership(MODERATOR, membership),
    event: { type: 'm.room.message', sender: MODERATOR },
    verdict: { '1-5': '6', '6-11': '5', '12': '6' },
  })),
  {
    name: 'not even the creator who has left sends anything',
    state: (room) => room.setMembership(CREATOR, 'leave'),
    event: { type: 'm.room.message', sender: CREATOR },
    verdict: { '1-5': '6', '6-11': '5', '12': '6' },
  },
  {
    name: 'a member needs the level of state events',
    event: { type: 'm.room.topic', stateKey: '', sender: MEMBER },
    verdict: { '1-5': '8', '6-11': '7', '12': '8' },
  },
  {
    name: 'a moderator has the level of state events',
    event: { type: 'm.room.topic', stateKey: '', sender: MODERATOR },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'the level of a type goes before the default',
    state: (room) => room.setLevels({ events: { 'm.room.topic': 0, 'm.room.message': 1 } }),
    event: { type: 'm.room.topic', stateKey: '', sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'the level of a type holds for messages as well',
    state: (room) => room.setLevels({ events: { 'm.room.topic': 0, 'm.room.message': 1 } }),
    event: { type: 'm.room.message', sender: MEMBER },
    verdict: { '1-5': '8', '6-11': '7', '12': '8' },
  },
  {
    name: 'names of JavaScript are event types like others',
    state: (room) => room.setLevels({ events: {}, state_default: 0 }),
    event: { type: 'constructor', stateKey: 'toString', sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: "another user's state key is refused, whatever the level",
    event: { type: 'org.example.mood', stateKey: MEMBER, sender: CREATOR },
    verdict: { '1-5': '9', '6-11': '8', '12': '9' },
  },
  {
    name: 'the own state key is allowed',
    state: (room) => room.setLevels({ state_default: 0 }),
    event: { type: 'org.example.mood', stateKey: MEMBER, sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
  {
    name: 'a third-party invite needs the invite level',
    state: (room) => room.setLevels({ invite: 1 }),
    event: { type: 'm.room.third_party_invite', stateKey: 'token', sender: MEMBER },
    verdict: { '1-5': '7.1', '6-11': '6.1', '12': '7.1' },
  },
  {
    name: 'a third-party invite needs no more than the invite level',
    event: { type: 'm.room.third_party_invite', stateKey: 'token', sender: MEMBER },
    verdict: { '1-12': 'allowed' },
  },
];

const ALIASES: readonly RuleCase[] = [
  {
    name: 'm.room.aliases of a server needs no membership, where it is special',
    event: { type: 'm.room.aliases', stateKey: 'away.org', sender: FOREIGNER },
    verdict: { '1-5': 'allowed', '6-11': '5', '12': '6' },
  },
  {
    name: "m.room.aliases under another server's name is refused, where it is special",
    event: { type: 'm.room.aliases', stateKey: 'away.org', sender: CREATOR },
    verdict: { '1-5': '4.2', '6-12': 'allowed' },
  },
  {
    name: 'm.room.aliases without state key is refused, where it is special',
    event: { type: 'm.room.aliases', sender: CREATOR },
    verdict: { '1-5': '4.1', '6-12': 'allowed' },
  },
];

testRules([...CASES, ...ALIASES]);
