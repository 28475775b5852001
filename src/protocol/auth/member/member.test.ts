import type { JsonObject } from '../../json.ts';
import {
  CREATOR,
  MEMBER,
  MODERATOR,
  type RuleCase,
  STRANGER,
  type TestRoom,
  testRules,
} from '../test-room.ts';

const member = (sender: string, target: string, membership: string) => ({
  type: 'm.room.member',
  sender,
  stateKey: target,
  content: { membership },
});
const setting = (user: string, membership: string) => (room: TestRoom) =>
  room.setMembership(user, membership);
const withContent = (content: JsonObject) => ({ ...member(CREATOR, STRANGER, ''), content });
const ALLOWED = { '1-12': 'allowed' };

const FORM: readonly RuleCase[] = [
  {
    name: 'a membership has a state key',
    event: { type: 'm.room.member', content: { membership: 'join' } },
    verdict: { '1-5': '5.1', '6-11': '4.1', '12': '5.1' },
  },
  {
    name: 'a membership has a membership',
    event: withContent({}),
    verdict: { '1-5': '5.1', '6-11': '4.1', '12': '5.1' },
  },
  ...['made-up', '', 7, null].map((membership) => ({
    name: `the membership ${JSON.stringify(membership)} is refused`,
    event: withContent({ membership }),
    verdict: { '1-5': '5.6', '6': '4.6', '7': '4.7', '8-11': '4.8', '12': '5.8' },
  })),
];

const INVITE: readonly RuleCase[] = [
  {
    name: 'a member invites',
    event: member(MEMBER, STRANGER, 'invite'),
    verdict: ALLOWED,
  },
  {
    name: 'who has left is invited again',
    state: setting(STRANGER, 'leave'),
    event: member(MEMBER, STRANGER, 'invite'),
    verdict: ALLOWED,
  },
  {
    name: 'a stranger does not invite',
    event: member(STRANGER, '@friend:home.org', 'invite'),
    verdict: { '1-5': '5.3.2', '6-7': '4.3.2', '8-11': '4.4.2', '12': '5.4.2' },
  },
  ...['join', 'ban'].map((membership) => ({
    name: `who has the membership ${membership} is not invited`,
    state: setting(STRANGER, membership),
    event: member(CREATOR, STRANGER, 'invite'),
    verdict: { '1-5': '5.3.3', '6-7': '4.3.3', '8-11': '4.4.3', '12': '5.4.3' },
  })),
  {
    name: 'an invite needs the invite level',
    state: (room) => room.setLevels({ invite: 1 }),
    event: member(MEMBER, STRANGER, 'invite'),
    verdict: { '1-5': '5.3.5', '6-7': '4.3.5', '8-11': '4.4.5', '12': '5.4.5' },
  },
];

const OWN_LEAVE = { '1-5': '5.4.1', '6-7': '4.4.1', '8-11': '4.5.1', '12': '5.5.1' };
const KICK = { '1-5': '5.4.5', '6-7': '4.4.5', '8-11': '4.5.5', '12': '5.5.5' };

const LEAVE: readonly RuleCase[] = [
  ...['join', 'invite'].map((membership) => ({
    name: `who has the membership ${membership} may leave`,
    state: setting(STRANGER, membership),
    event: member(STRANGER, STRANGER, 'leave'),
    verdict: ALLOWED,
  })),
  {
    name: 'who knocks may take it back, where there is knocking',
    state: setting(STRANGER, 'knock'),
    event: member(STRANGER, STRANGER, 'leave'),
    verdict: { '1-5': '5.4.1', '6': '4.4.1', '7-12': 'allowed' },
  },
  {
    name: 'a stranger has nothing to leave',
    event: member(STRANGER, STRANGER, 'leave'),
    verdict: OWN_LEAVE,
  },
  ...['leave', 'ban'].map((membership) => ({
    name: `who has the membership ${membership} has nothing to leave`,
    state: setting(CREATOR, membership),
    event: member(CREATOR, CREATOR, 'leave'),
    verdict: OWN_LEAVE,
  })),
  {
    name: 'a stranger does not kick',
    state: (room) => room.setLevels({ users: { [STRANGER]: 100 } }),
    event: member(STRANGER, MEMBER, 'leave'),
    verdict: { '1-5': '5.4.2', '6-7': '4.4.2', '8-11': '4.5.2', '12': '5.5.2' },
  },
  {
    name: 'a moderator kicks a member',
    event: member(MODERATOR, MEMBER, 'leave'),
    verdict: ALLOWED,
  },
  {
    name: 'a kick needs the kick level',
    state: (room) => room.setLevels({ users: { [MODERATOR]: 50 }, kick: 51 }),
    event: member(MODERATOR, MEMBER, 'leave'),
    verdict: KICK,
  },
  {
    name: 'nobody kicks who has the same level',
    state: (room) => room.setLevels({ users: { [MODERATOR]: 50, [MEMBER]: 50 } }),
    event: member(MODERATOR, MEMBER, 'leave'),
    verdict: KICK,
  },
  {
    name: 'nobody kicks the creator',
    event: member(MODERATOR, CREATOR, 'leave'),
    verdict: KICK,
  },
  {
    name: 'a moderator unbans',
    state: setting(STRANGER, 'ban'),
    event: member(MODERATOR, STRANGER, 'leave'),
    verdict: ALLOWED,
  },
  {
    name: 'unbanning needs the ban level',
    state: (room) => {
      room.setMembership(STRANGER, 'ban');
      room.setLevels({ users: { [MODERATOR]: 50 }, ban: 51 });
    },
    event: member(MODERATOR, STRANGER, 'leave'),
    verdict: { '1-5': '5.4.3', '6-7': '4.4.3', '8-11': '4.5.3', '12': '5.5.3' },
  },
  {
    name: 'unbanning needs the kick level, too',
    state: (room) => {
      room.setMembership(STRANGER, 'ban');
      room.setLevels({ users: { [MODERATOR]: 50 }, kick: 51 });
    },
    event: member(MODERATOR, STRANGER, 'leave'),
    verdict: KICK,
  },
];

const BAN = { '1-5': '5.5.3', '6-7': '4.5.3', '8-11': '4.6.3', '12': '5.6.3' };
const BANS: readonly RuleCase[] = [
  ...[MEMBER, STRANGER].map((target) => ({
    name: `a moderator bans ${target}`,
    event: member(MODERATOR, target, 'ban'),
    verdict: ALLOWED,
  })),
  {
    name: 'a stranger does not ban',
    event: member(STRANGER, MEMBER, 'ban'),
    verdict: { '1-5': '5.5.1', '6-7': '4.5.1', '8-11': '4.6.1', '12': '5.6.1' },
  },
  { name: 'a member does not ban', event: member(MEMBER, STRANGER, 'ban'), verdict: BAN },
  { name: 'nobody bans the creator', event: member(MODERATOR, CREATOR, 'ban'), verdict: BAN },
  {
    name: 'nobody bans themselves: the level is not above their own',
    event: member(MODERATOR, MODERATOR, 'ban'),
    verdict: BAN,
  },
];

const knocking = (joinRule: string, membership?: string) => (room: TestRoom) => {
  room.setJoinRule(joinRule);
  if (membership !== undefined) room.setMembership(STRANGER, membership);
};
const NO_KNOCKING = { '1-5': '5.6', '6': '4.6' };

const KNOCK: readonly RuleCase[] = [
  ...[undefined, 'leave', 'knock'].map((membership) => ({
    name: `who has the membership ${membership} may knock, where there is knocking`,
    state: knocking('knock', membership),
    event: member(STRANGER, STRANGER, 'knock'),
    verdict: { ...NO_KNOCKING, '7-12': 'allowed' },
  })),
  {
    name: 'the join rule knock_restricted allows to knock, where there is such',
    state: knocking('knock_restricted'),
    event: member(STRANGER, STRANGER, 'knock'),
    verdict: { ...NO_KNOCKING, '7': '4.6.1', '8-9': '4.7.1', '10-12': 'allowed' },
  },
  ...['public', 'invite', 'restricted'].map((joinRule) => ({
    name: `the join rule ${joinRule} does not allow to knock`,
    state: knocking(joinRule),
    event: member(STRANGER, STRANGER, 'knock'),
    verdict: { ...NO_KNOCKING, '7': '4.6.1', '8-11': '4.7.1', '12': '5.7.1' },
  })),
  {
    name: 'nobody knocks for others',
    state: knocking('knock'),
    event: member(MEMBER, STRANGER, 'knock'),
    verdict: { ...NO_KNOCKING, '7': '4.6.2', '8-11': '4.7.2', '12': '5.7.2' },
  },
  ...['ban', 'invite', 'join'].map((membership) => ({
    name: `who has the membership ${membership} does not knock`,
    state: knocking('knock', membership),
    event: member(STRANGER, STRANGER, 'knock'),
    verdict: { ...NO_KNOCKING, '7': '4.6.4', '8-11': '4.7.4', '12': '5.7.4' },
  })),
];

testRules([...FORM, ...INVITE, ...LEAVE, ...BANS, ...KNOCK]);
