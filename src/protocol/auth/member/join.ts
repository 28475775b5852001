// m.room.member with membership `join`.

import { rejectBy } from '../auth-check.ts';
import { roomCreator } from '../creators.ts';
import { ALLOWED, type Verdict } from '../verdict.ts';
import type { MemberCheck } from './member-check.ts';

export function authorizeJoin(check: MemberCheck): Verdict {
  const { event, room, rules, target } = check;
  if (isCreatorsFirstJoin(check)) return ALLOWED;
  if (event.sender !== target) {
    return rejectBy(rules, 'member.join.sender', 'only users themselves can join');
  }
  const membership = room.membershipOf(target);
  if (membership === 'ban') {
    return rejectBy(rules, 'member.join.banned', 'the sender is banned');
  }
  const isMember = membership === 'invite' || membership === 'join';
  const joinRule = room.joinRule();
  if (joinRule === 'invite' || (rules.knocking && joinRule === 'knock')) {
    if (isMember) return ALLOWED;
  } else if (isRestricted(check, joinRule)) {
    return isMember || isAuthorisedByMember(check)
      ? ALLOWED
      : rejectBy(rules, 'member.join.restricted.authorisedVia', 'no member vouches for the join');
  } else if (joinRule === 'public') {
    return ALLOWED;
  }
  return rejectBy(rules, 'member.join.otherwise', 'the join rules do not allow to join');
}

/** The room consists of its m.room.create, and its creator enters. */
function isCreatorsFirstJoin({ event, room, rules, target }: MemberCheck): boolean {
  const [previous, ...more] = event.prevEvents;
  const isSecondEvent = previous === room.create.eventId && more.length === 0;
  return isSecondEvent && roomCreator(room.create, rules) === target;
}

function isRestricted({ rules }: MemberCheck, joinRule: string | undefined): boolean {
  if (joinRule === 'restricted') return rules.restrictedJoins;
  return joinRule === 'knock_restricted' && rules.knockRestricted;
}

/** Whether the user in `join_authorised_via_users_server` is joined and may invite. */
function isAuthorisedByMember({ event, room }: MemberCheck): boolean {
  const userId = event.content.join_authorised_via_users_server;
  if (typeof userId !== 'string' || room.membershipOf(userId) !== 'join') return false;
  return room.levels.levelOf(userId) >= room.levels.invite;
}
