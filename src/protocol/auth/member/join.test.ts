import {
  CREATOR,
  FOREIGNER,
  MEMBER,
  MODERATOR,
  type RuleCase,
  STRANGER,
  type TestRoom,
  testRules,
} from '../test-room.ts';

const join = (user: string, more: { sender?: string; via?: string; prev?: string[] } = {}) => ({
  type: 'm.room.member',
  stateKey: user,
  sender: more.sender ?? user,
  prev: more.prev ?? ['$before:home.org'],
  content: {
    membership: 'join',
    ...(more.via === undefined ? {} : { join_authorised_via_users_server: more.via }),
  },
});

/** A room with these join rules, in which the stranger has this membership. */
const room =
  (joinRule: string, membership?: string, more?: (room: TestRoom) => void) => (room: TestRoom) => {
    room.setJoinRule(joinRule);
    if (membership !== undefined) room.setMembership(STRANGER, membership);
    more?.(room);
  };

const OTHERWISE = { '1-5': '5.2.6', '6-7': '4.2.6', '8-11': '4.3.7', '12': '5.3.7' };
const ALLOWED = { '1-12': 'allowed' };
/** Of a join rule that was introduced at a version: unknown before. */
const since = (version: number, verdict: string) => ({
  '1-5': '5.2.6',
  ...(version === 7 ? { '6': '4.2.6', '7-11': verdict } : { '6-7': '4.2.6' }),
  ...(version === 8 ? { '8-11': verdict } : {}),
  ...(version === 10 ? { '8-9': '4.3.7', '10-11': verdict } : {}),
  '12': verdict.replace(/^4/, '5'),
});

const FIRST_JOIN: readonly RuleCase[] = [
  {
    name: 'the creator joins after m.room.create',
    state: room('invite', undefined, (room) => room.unset('m.room.member', CREATOR)),
    event: ({ create }) => join(CREATOR, { prev: [create.eventId] }),
    verdict: ALLOWED,
  },
  {
    name: 'nobody else joins after m.room.create',
    state: room('invite'),
    event: ({ create }) => join(STRANGER, { prev: [create.eventId] }),
    verdict: OTHERWISE,
  },
  {
    name: 'the creator does not come back later',
    state: room('invite', undefined, (room) => room.setMembership(CREATOR, 'leave')),
    event: ({ create }) => join(CREATOR, { prev: [create.eventId, '$other:home.org'] }),
    verdict: OTHERWISE,
  },
];

const PLAIN: readonly RuleCase[] = [
  {
    name: 'anybody joins a public room',
    state: room('public'),
    event: join(STRANGER),
    verdict: ALLOWED,
  },
  {
    name: 'who has left joins a public room again',
    state: room('public', 'leave'),
    event: join(STRANGER),
    verdict: ALLOWED,
  },
  {
    name: 'nobody joins for others',
    event: join(STRANGER, { sender: CREATOR }),
    verdict: { '1-5': '5.2.2', '6-7': '4.2.2', '8-11': '4.3.2', '12': '5.3.2' },
  },
  {
    name: 'the banned stay out',
    state: room('public', 'ban'),
    event: join(STRANGER),
    verdict: { '1-5': '5.2.3', '6-7': '4.2.3', '8-11': '4.3.3', '12': '5.3.3' },
  },
  {
    name: 'a room without join rules is for the invited',
    state: (room) => room.unset('m.room.join_rules', ''),
    event: join(STRANGER),
    verdict: OTHERWISE,
  },
  {
    name: 'join rules that are no text let nobody in',
    state: (room) => {
      room.set({ type: 'm.room.join_rules', stateKey: '', content: { join_rule: ['public'] } });
    },
    event: join(STRANGER),
    verdict: OTHERWISE,
  },
  ...['private', 'made-up', ''].map((rule) => ({
    name: `the join rule "${rule}" lets nobody in, not even the invited`,
    state: room(rule, 'invite'),
    event: join(STRANGER),
    verdict: OTHERWISE,
  })),
];

const INVITED: readonly RuleCase[] = [
  ...['invite', 'join'].map((membership) => ({
    name: `the join rule invite lets in who has the membership ${membership}`,
    state: room('invite', membership),
    event: join(STRANGER),
    verdict: ALLOWED,
  })),
  ...['leave', 'knock'].map((membership) => ({
    name: `the join rule invite keeps out who has the membership ${membership}`,
    state: room('invite', membership),
    event: join(STRANGER),
    verdict: OTHERWISE,
  })),
  {
    name: 'the join rule knock lets in the invited, where there is knocking',
    state: room('knock', 'invite'),
    event: join(STRANGER),
    verdict: since(7, 'allowed'),
  },
  {
    name: 'the join rule knock keeps out who only knocks',
    state: room('knock', 'knock'),
    event: join(STRANGER),
    verdict: OTHERWISE,
  },
];

const vouched = (more?: (room: TestRoom) => void) => (room: TestRoom) => {
  room.signers.add('home.org');
  more?.(room);
};

const RESTRICTED: readonly RuleCase[] = [
  {
    name: 'the join rule restricted lets in the invited, where there are restricted joins',
    state: room('restricted', 'invite'),
    event: join(STRANGER),
    verdict: since(8, 'allowed'),
  },
  {
    name: 'the join rule restricted lets in for whom a member vouches',
    state: room('restricted', undefined, vouched()),
    event: join(STRANGER, { via: MEMBER }),
    verdict: since(8, 'allowed'),
  },
  {
    name: 'the join rule restricted keeps out for whom nobody vouches',
    state: room('restricted', 'leave'),
    event: join(STRANGER),
    verdict: since(8, '4.3.5.2'),
  },
  {
    name: 'who is not in the room cannot vouch',
    state: room(
      'restricted',
      undefined,
      vouched((room) => room.setMembership(MEMBER, 'leave')),
    ),
    event: join(STRANGER, { via: MEMBER }),
    verdict: since(8, '4.3.5.2'),
  },
  {
    name: 'who may not invite cannot vouch',
    state: room(
      'restricted',
      undefined,
      vouched((room) => room.setLevels({ invite: 50 })),
    ),
    event: join(STRANGER, { via: MEMBER }),
    verdict: since(8, '4.3.5.2'),
  },
  {
    name: 'whose server has not signed cannot vouch',
    state: room('restricted', undefined, (room) => room.signers.add('away.org')),
    event: join(STRANGER, { via: MODERATOR }),
    verdict: since(8, '4.2.1'),
  },
  {
    name: 'who vouches is a user',
    state: room('restricted', undefined, vouched()),
    event: join(STRANGER, { via: 'home.org' }),
    verdict: since(8, '4.2.1'),
  },
  {
    name: 'the signature is asked for whatever the join rules',
    event: join(STRANGER, { via: FOREIGNER }),
    verdict: { '1-7': 'allowed', '8-11': '4.2.1', '12': '5.2.1' },
  },
  {
    name: 'the signature is asked for whatever the membership',
    event: {
      ...join(MEMBER),
      content: { membership: 'leave', join_authorised_via_users_server: null },
    },
    verdict: { '1-7': 'allowed', '8-11': '4.2.1', '12': '5.2.1' },
  },
  {
    name: 'the join rule knock_restricted lets in for whom a member vouches',
    state: room('knock_restricted', undefined, vouched()),
    event: join(STRANGER, { via: MEMBER }),
    verdict: since(10, 'allowed'),
  },
  {
    name: 'the join rule knock_restricted keeps out for whom nobody vouches',
    state: room('knock_restricted'),
    event: join(STRANGER),
    verdict: since(10, '4.3.5.2'),
  },
];

testRules([...FIRST_JOIN, ...PLAIN, ...INVITED, ...RESTRICTED]);
